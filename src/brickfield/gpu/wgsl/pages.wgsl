// Reader's side of the page table (see page_table.py for the invariant).

const PAGE_DATA: u32 = 0x80000000u;
const PAGE_CONSTANT: u32 = 0x40000000u;
const PAGE_FINER: u32 = 0x20000000u;
const PAGE_TARGET: u32 = 0x10000000u;
const PAGE_NONFINITE: u32 = 0x08000000u;
const PAGE_FAILED: u32 = 0x04000000u;
const PAGE_EMPTY: u32 = 0xffffffffu;
const FAR: f32 = 3.0e38;

struct Ray {
    origin: vec3<f32>,
    direction: vec3<f32>,  // largest component is 1 voxel of level 0
    t0: f32,
    t1: f32,
    view_depth: f32,       // view depth a unit of t
    view_start: f32,       // view depth at t = 0
    length: f32,           // reference lengths a unit of t, for opacity
};

// The finest active chunk at a point, and how far the ray stays with it.
struct Cell {
    value: u32,
    range: u32,
    level: i32,            // -1: nothing active here
    origin: vec3<f32>,     // first voxel of the chunk, level space, relative
    t_exit: f32,
    is_failed: bool,
};

fn page_hash(low: u32, high: u32) -> u32 {
    var h = (low * 0x9E3779B1u) ^ (high * 0x85EBCA77u);
    h = h ^ (h >> 15u);
    h = h * 0x2C1B3C6Du;
    return h ^ (h >> 13u);
}

// Value and range of a cell; zero where the table has no such row.
fn page_lookup(plane: u32, level: i32, cell: vec3<i32>) -> vec2<u32> {
    let c = vec3<u32>(cell);
    let low = c.x | (c.y << 15u) | (c.z << 30u);
    let high = (c.z >> 2u) | (u32(level) << 13u) | (plane << 17u);
    let mask = u_wobject.counts.w;
    var row = page_hash(low, high) & mask;
    for (var i = 0; i < 256; i = i + 1) {
        let page = s_pages[row];
        if (page.x == low && page.y == high) { return page.zw; }
        if (page.x == PAGE_EMPTY && page.y == PAGE_EMPTY) { break; }
        row = (row + 1u) & mask;
    }
    return vec2<u32>(0u, 0u);
}

fn level_start(ray: Ray, level: i32) -> vec3<f32> {
    return ray.origin * u_wobject.lv_scale[level].xyz + u_wobject.lv_shift[level].xyz;
}

fn level_direction(ray: Ray, level: i32) -> vec3<f32> {
    return ray.direction * u_wobject.lv_scale[level].xyz;
}

fn locate(ray: Ray, t: f32, plane: u32) -> Cell {
    var found = Cell(0u, 0u, -1, vec3<f32>(0.0), ray.t1, false);
    for (var level = i32(u_wobject.counts.y); level >= 0; level = level - 1) {
        let start = level_start(ray, level);
        let direction = level_direction(ray, level);
        let brick = u_wobject.lv_brick[level].xyz;
        let first = -u_wobject.lv_cell0[level].xyz;
        let last = u_wobject.lv_grid[level].xyz - 1 + first;
        let q = start + direction * t;
        let cell = clamp(vec3<i32>(floor((q + 0.5) / brick)), first, last);
        let corner = vec3<f32>(cell) * brick;

        // Cells at the ends of the grid reach outwards without end.
        let forward = direction > vec3<f32>(0.0);
        let face = select(corner, corner + brick, forward) - 0.5;
        let is_open = (direction == vec3<f32>(0.0))
            | (forward & (cell == last))
            | ((!forward) & (cell == first));
        let safe = select(direction, vec3<f32>(1.0), direction == vec3<f32>(0.0));
        let exits = select((face - start) / safe, vec3<f32>(FAR), is_open);
        found.t_exit = min(found.t_exit, min(exits.x, min(exits.y, exits.z)));

        let page = page_lookup(plane, level, cell - first);
        if ((page.x & (PAGE_DATA | PAGE_CONSTANT)) != 0u) {
            found.value = page.x;
            found.range = page.y;
            found.level = level;
            found.origin = corner;
        }
        if ((page.x & PAGE_FAILED) != 0u) { found.is_failed = true; }
        if ((page.x & PAGE_FINER) == 0u) { break; }
    }
    return found;
}

// Lowest and highest sample of a chunk, in sample units, border included.
fn page_range(range: u32) -> vec2<f32> {
    $$ if range_format == 'unorm'
    return unpack2x16unorm(range);
    $$ else
    return unpack2x16float(range);
    $$ endif
}

fn is_nan(v: f32) -> bool {
    return (bitcast<u32>(v) & 0x7fffffffu) > 0x7f800000u;
}
