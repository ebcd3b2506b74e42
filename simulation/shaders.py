"""GLSL of the renderer: one light, soft shadows of people, procedural floor and walls, printed packages."""

_LIGHT = """
uniform sampler2D shadow_map;
uniform mat4 light_matrix;
uniform vec3 light;
float lit(vec3 world, vec3 normal) {
    vec4 p = light_matrix * vec4(world + normal * 0.015, 1.0);
    vec3 q = p.xyz * 0.5 + 0.5;
    float sum = 0.0;
    for (int i = -1; i <= 1; i++) for (int j = -1; j <= 1; j++)
        sum += step(q.z - 0.003, texture(shadow_map, q.xy + vec2(i, j) * 0.0022).r);
    return sum / 9.0;
}
vec3 shade(vec3 colour, vec3 world, vec3 normal, float openness) {
    vec3 n = normalize(normal);
    float sky = 0.5 + 0.5 * n.z;
    float sun = max(0.0, dot(n, light));
    float fill = max(0.0, dot(n, normalize(vec3(-0.5, -0.7, 0.35))));
    float s = lit(world, n);
    return colour * (0.30 + 0.26 * sky * openness + 0.40 * sun * s + 0.26 * fill * (0.45 + 0.55 * s));
}
"""
_HEAD = "#version 330\n"

STORE_VERTEX = (
    _HEAD
    + """
uniform mat4 camera;
in vec3 at; in vec3 normal; in vec3 colour; in float material;
out vec3 w; out vec3 n; out vec3 c; flat out float m;
void main() { w = at; n = normal; c = colour; m = material; gl_Position = camera * vec4(at, 1.0); }
"""
)
STORE_FRAGMENT = (
    _HEAD
    + _LIGHT
    + """
in vec3 w; in vec3 n; in vec3 c; flat in float m;
out vec4 colour_out;
float hash(vec2 p) { return fract(sin(dot(p, vec2(12.9898, 78.233))) * 43758.5453); }
void main() {
    vec3 base = c;
    if (m > 0.5 && m < 1.5) {
        vec2 tile = floor(w.xy / 0.4), f = fract(w.xy / 0.4);
        base *= 0.90 + 0.14 * hash(tile);
        float edge = min(min(f.x, 1.0 - f.x), min(f.y, 1.0 - f.y));
        base *= mix(0.84, 1.0, smoothstep(0.0, 0.03, edge));
        base *= 0.97 + 0.06 * hash(floor(w.xy * 55.0));
        if (w.x < 0.0) base *= 0.6;
    } else if (m > 1.5) {
        base *= 0.96 + 0.05 * hash(floor(vec2(w.x + w.y, w.z) * 30.0));
        base *= smoothstep(-0.15, 0.12, w.z) * 0.15 + 0.85;
    }
    colour_out = vec4(shade(base, w, n, 1.0), 1.0);
}
"""
)

PACKAGE_VERTEX = (
    _HEAD
    + """
uniform mat4 camera; uniform vec2 grid;
in vec3 at; in vec3 normal; in vec2 tex;
in vec3 place; in vec2 turn; in vec3 size; in vec3 cell;
out vec3 w; out vec3 n; out vec2 t; flat out vec3 k;
vec3 spin(vec3 v) { return vec3(turn.x * v.x - turn.y * v.y, turn.y * v.x + turn.x * v.y, v.z); }
void main() {
    w = place + spin(at * size); n = spin(normal); t = tex; k = cell;
    gl_Position = camera * vec4(w, 1.0);
}
"""
)
PACKAGE_FRAGMENT = (
    _HEAD
    + _LIGHT
    + """
uniform sampler2D atlas; uniform vec2 grid;
in vec3 w; in vec3 n; in vec2 t; flat in vec3 k;
out vec4 colour_out;
void main() {
    vec2 inside = clamp(fract(t * 0.9999), 0.03, 0.97);
    vec2 dx = dFdx(t) / grid, dy = dFdy(t) / grid;
    vec3 base = textureGrad(atlas, (k.xy + inside) / grid, dx, dy).rgb;
    colour_out = vec4(shade(base, w, n, k.z), 1.0);
}
"""
)

PERSON_VERTEX = (
    _HEAD
    + """
uniform mat4 camera;
in vec3 at; in vec3 normal; in vec3 colour; in vec4 rest;
out vec3 w; out vec3 n; out vec3 c; out vec4 r;
void main() { w = at; n = normal; c = colour; r = rest; gl_Position = camera * vec4(at, 1.0); }
"""
)
PERSON_FRAGMENT = (
    _HEAD
    + _LIGHT
    + """
uniform vec3 second; uniform int pattern;
in vec3 w; in vec3 n; in vec3 c; in vec4 r;
out vec4 colour_out;
void main() {
    vec3 base = c;
    if (r.w > 0.5) {
        float a = fract(r.z / 0.10), b = fract(r.y / 0.09);
        if (pattern == 1 && a < 0.42) base = second;
        if (pattern == 2 && b < 0.40) base = second;
        if (pattern == 3 && ((a < 0.5) != (b < 0.5))) base = second;
        if (pattern == 4 && r.z > 1.20) base = second;
    }
    base *= 0.95 + 0.05 * sin(r.z * 63.0 + r.y * 41.0);
    colour_out = vec4(shade(base, w, n, 1.0), 1.0);
}
"""
)
SHADOW_VERTEX = (
    _HEAD + "uniform mat4 light_matrix; in vec3 at; void main() { gl_Position = light_matrix * vec4(at, 1.0); }"
)
SHADOW_FRAGMENT = _HEAD + "void main() {}"
