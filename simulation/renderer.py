"""Draws the store, its packages and its people with moderngl on EGL (llvmpipe suffices)."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import metadata
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simulation import shaders
from simulation.body import HAIR, SHIRT, SHOES, SKIN, TROUSERS, Body
from simulation.catalogue import BY_ID
from simulation.geometry import store_mesh, unit_bottle, unit_box
from simulation.layout import Array, Camera, Layout
from simulation.packaging import COLUMNS, ROWS, draw_atlas

PAD_X, PAD_Y = 32, 24
_NEAR, _FAR = 0.15, 14.0
_SHADOW_PX = 768
_LIGHT = np.array([-0.28, -0.42, 0.86])


@dataclass(frozen=True)
class Clothes:
    """Colours (0-1 RGB) of skin, shirt, trousers, shoes and hair; shirt pattern and its second colour."""

    skin: tuple[float, float, float]
    shirt: tuple[float, float, float]
    trousers: tuple[float, float, float]
    shoes: tuple[float, float, float]
    hair: tuple[float, float, float]
    pattern: int
    second: tuple[float, float, float]


@dataclass(frozen=True)
class Package:
    """A package: centre of the bottom (m), direction of its front (rad), size (m), atlas cell, openness."""

    place: tuple[float, float, float]
    yaw: float
    size: tuple[float, float, float]
    cell: tuple[int, int]
    form: str
    openness: float = 1.0

    @property
    def row(self) -> list[float]:
        """As an instance of the package shader."""
        turn = self.yaw + np.pi / 2
        return [*self.place, float(np.cos(turn)), float(np.sin(turn)), *self.size, *self.cell, self.openness]


def form_of(product_id: str) -> str:
    """Which unit mesh a product uses."""
    shape = BY_ID[product_id].shape
    return shape if shape in ("bottle", "can") else "box"


def clip_matrix(camera: Camera) -> Array:
    """World to clip space for the padded picture, rows top first, (4, 4)."""
    width, height = camera.width_px + 2 * PAD_X, camera.height_px + 2 * PAD_Y
    f = camera.focal_px
    cx, cy = camera.matrix[0, 2] + PAD_X + 0.5, camera.matrix[1, 2] + PAD_Y + 0.5
    projection = np.array(
        [
            [2 * f / width, 0, 2 * cx / width - 1, 0],
            [0, 2 * f / height, 2 * cy / height - 1, 0],
            [0, 0, (_FAR + _NEAR) / (_FAR - _NEAR), -2 * _FAR * _NEAR / (_FAR - _NEAR)],
            [0, 0, 1, 0],
        ]
    )
    pose = np.eye(4)
    pose[:3, :3], pose[:3, 3] = camera.rotation, camera.translation
    return np.asarray(projection @ pose)


def _light_matrix(layout: Layout) -> Array:
    z = _LIGHT / np.linalg.norm(_LIGHT)
    x = np.cross([0.0, 1.0, 0.0], z)
    x /= np.linalg.norm(x)
    basis = np.stack([x, np.cross(z, x), z])
    box = np.array([[a, b, c] for a in (-0.8, layout.width_m) for b in (0.0, layout.depth_m) for c in (0.0, 2.0)])
    low, high = (box @ basis.T).min(axis=0), (box @ basis.T).max(axis=0)
    matrix = np.eye(4)
    scale = np.array([2.0, 2.0, -2.0]) / (high - low)
    matrix[:3, :3] = basis * scale[:, None]
    matrix[:3, 3] = -(high + low) / 2 * scale
    return matrix


class Renderer:
    """One OpenGL context with the store loaded. Raises an error of moderngl when there is no EGL."""

    def __init__(self, layout: Layout, samples: int = 0) -> None:
        import moderngl

        backend: Any = {"backend": "egl"}
        self._context = ctx = moderngl.create_context(standalone=True, **backend)
        ctx.enable(moderngl.DEPTH_TEST)
        self.name = f"moderngl {metadata.version('moderngl')}, {ctx.info['GL_RENDERER']}"
        self._programs: dict[str, Any] = {
            "store": ctx.program(shaders.STORE_VERTEX, shaders.STORE_FRAGMENT),
            "package": ctx.program(shaders.PACKAGE_VERTEX, shaders.PACKAGE_FRAGMENT),
            "person": ctx.program(shaders.PERSON_VERTEX, shaders.PERSON_FRAGMENT),
            "shadow": ctx.program(shaders.SHADOW_VERTEX, shaders.SHADOW_FRAGMENT),
        }
        self._store = ctx.vertex_array(
            self._programs["store"],
            [(ctx.buffer(store_mesh(layout).tobytes()), "3f 3f 3f 1f", "at", "normal", "colour", "material")],
        )
        meshes = {"box": unit_box(), "bottle": unit_bottle(True), "can": unit_bottle(False)}
        self._meshes = {form: ctx.buffer(mesh.tobytes()) for form, mesh in meshes.items()}
        self._packages: dict[str, tuple[Any, int]] = {}
        atlas = np.ascontiguousarray(draw_atlas())
        self._atlas = ctx.texture((atlas.shape[1], atlas.shape[0]), 3, atlas.tobytes())
        self._atlas.build_mipmaps(max_level=4)
        self._shadow = ctx.depth_texture((_SHADOW_PX, _SHADOW_PX))
        self._shadow.compare_func = ""
        self._shadow.repeat_x = self._shadow.repeat_y = False
        self._shadow_target = ctx.framebuffer(depth_attachment=self._shadow)
        self._light = _light_matrix(layout)
        self._sizes: dict[tuple[int, int], tuple[Any, Any]] = {}
        self._samples = samples
        self._people: dict[str, tuple[Any, Any, Any, Clothes]] = {}
        self._present: list[str] = []

    def add_person(self, person_id: str, body: Body, clothes: Clothes) -> None:
        """Load a person's colours and faces."""
        ctx = self._context
        palette = np.zeros((5, 3), np.float32)
        palette[SKIN], palette[SHIRT], palette[TROUSERS] = clothes.skin, clothes.shirt, clothes.trousers
        palette[SHOES], palette[HAIR] = clothes.shoes, clothes.hair
        fixed = np.concatenate([palette[body.region], body.vertices, (body.region == SHIRT)[:, None]], axis=1).astype(
            np.float32
        )
        moving = ctx.buffer(reserve=len(body.vertices) * 24, dynamic=True)
        index = ctx.buffer(body.faces.astype(np.int32).tobytes())
        drawn = ctx.vertex_array(
            self._programs["person"],
            [(moving, "3f 3f", "at", "normal"), (ctx.buffer(fixed.tobytes()), "3f 4f", "colour", "rest")],
            index,
        )
        shadow = ctx.vertex_array(self._programs["shadow"], [(moving, "3f 12x", "at")], index)
        self._people[person_id] = (moving, drawn, shadow, clothes)

    def set_packages(self, group: str, packages: list[Package]) -> None:
        """Replace a named group of packages (the shelves, or what people carry)."""
        for form, mesh in self._meshes.items():
            rows = [package.row for package in packages if package.form == form]
            self._packages.pop(f"{group} {form}", None)
            if rows:
                buffer = self._context.buffer(np.array(rows, np.float32).tobytes())
                array = self._context.vertex_array(
                    self._programs["package"],
                    [
                        (mesh, "3f 3f 2f", "at", "normal", "tex"),
                        (buffer, "3f 2f 3f 3f/i", "place", "turn", "size", "cell"),
                    ],
                )
                self._packages[f"{group} {form}"] = (array, len(rows))

    def set_scene(self, people: dict[str, tuple[NDArray[np.float32], NDArray[np.float32]]]) -> None:
        """World vertices and normals (n, 3) of everybody present; redraws the shadows."""
        self._present = list(people)
        for person_id, (vertices, normals) in people.items():
            self._people[person_id][0].write(np.concatenate([vertices, normals], axis=1, dtype=np.float32).tobytes())
        self._shadow_target.use()
        self._shadow_target.clear(depth=1.0)
        self._programs["shadow"]["light_matrix"].write(self._light.T.astype(np.float32).tobytes())
        for person_id in self._present:
            self._people[person_id][2].render()

    def _targets(self, width: int, height: int) -> tuple[Any, Any]:
        if (width, height) not in self._sizes:
            ctx = self._context
            plain = ctx.framebuffer([ctx.texture((width, height), 3)], ctx.depth_texture((width, height)))
            drawn = plain
            if self._samples:
                drawn = ctx.framebuffer(
                    [ctx.renderbuffer((width, height), 3, samples=self._samples)],
                    ctx.depth_renderbuffer((width, height), samples=self._samples),
                )
            self._sizes[(width, height)] = (drawn, plain)
        return self._sizes[(width, height)]

    def draw(self, camera: Camera) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
        """Ideal padded picture, RGB (h, w, 3), and distance along the optical axis in metres (h, w)."""
        width, height = camera.width_px + 2 * PAD_X, camera.height_px + 2 * PAD_Y
        drawn, plain = self._targets(width, height)
        drawn.use()
        drawn.clear(0.32, 0.33, 0.34, depth=1.0)
        matrix = clip_matrix(camera).T.astype(np.float32).tobytes()
        self._shadow.use(1)
        self._atlas.use(0)
        for name in ("store", "package", "person"):
            program = self._programs[name]
            program["camera"].write(matrix)
            program["light_matrix"].write(self._light.T.astype(np.float32).tobytes())
            program["light"].value = tuple(_LIGHT / np.linalg.norm(_LIGHT))
            program["shadow_map"].value = 1
        self._programs["package"]["atlas"].value = 0
        self._programs["package"]["grid"].value = (COLUMNS, ROWS)
        for array, count in self._packages.values():
            array.render(instances=count)
        for person_id in self._present:
            clothes = self._people[person_id][3]
            self._programs["person"]["second"].value = clothes.second
            self._programs["person"]["pattern"].value = clothes.pattern
            self._people[person_id][1].render()
        self._store.render()
        if self._samples:
            self._context.copy_framebuffer(plain, drawn)
        picture = np.frombuffer(plain.read(components=3, alignment=1), np.uint8).reshape(height, width, 3)
        raw = np.frombuffer(plain.read(attachment=-1, dtype="f4", components=1, alignment=1), np.float32)
        normal = raw.reshape(height, width) * 2 - 1
        return picture, 2 * _FAR * _NEAR / (_FAR + _NEAR - normal * (_FAR - _NEAR))
