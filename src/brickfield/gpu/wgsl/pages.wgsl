// Reader's side of the page table (see page_table.py for the invariant).

const PAGE_DATA: u32 = 0x80000000u;
const PAGE_CONSTANT: u32 = 0x40000000u;
const PAGE_FINER: u32 = 0x20000000u;
const PAGE_TARGET: u32 = 0x10000000u;
const PAGE_NONFINITE: u32 = 0x08000000u;
const PAGE_FAILED: u32 = 0x04000000u;
const PAGE_OCTANTS: u32 = 18u;
const PAGE_EMPTY: u32 = 0xffffffffu;
const FAR: f32 = 3.0e38;
const ROUNDING: f32 = 1.0e-6;  // relative, of a few products and a quotient
// Voxels beyond a face that still belong to it: no sliver is left before the end of a
// ray; a place on a plane was moved by more (see UPWARD).
const SLACK: f32 = {{ '4.0e-3' if mode == 'slice' else '1.0e-4' }};

struct Ray {
    origin: vec3<f32>,
    direction: vec3<f32>,  // largest component is 1 voxel of level 0
    t0: f32,
    t1: f32,
    view_depth: f32,       // view depth a unit of t
    length: f32,           // reference lengths a unit of t, for opacity
    $$ if mode == 'slice'
    t: f32,                // where it meets the plane, and the place there
    spot: vec3<f32>,
    $$ endif
};

// The finest active chunk at a point, and how far the ray stays with it.
struct Cell {
    value: u32,
    range: u32,
    level: i32,            // -1: nothing active here
    hint: i32,             // level at which to look for the next cell
    first_level: i32,      // of the first cell on the ray with data, -1 before
    is_failed: bool,
    is_void: bool,         // beyond the faces of the level drawn here
    origin: vec3<f32>,     // first voxel of the chunk, level space, relative
    start: vec3<f32>,      // the ray in level space
    direction: vec3<f32>,
    t_enter: f32,
    t_exit: f32,
};

fn page_hash(low: u32, high: u32) -> u32 {
    var h = (low * 0x9E3779B1u) ^ (high * 0x85EBCA77u);
    h = h ^ (h >> 15u);
    h = h * 0x2C1B3C6Du;
    return h ^ (h >> 13u);
}

$$ if has_feedback
// Row of the chunk found last, marked when a ray arrives there.
var<private> p_row: u32 = 0u;
var<private> p_found: u32 = 0u;
// How far the rays of this pixel went.
var<private> p_end: f32 = -FAR;
$$ endif

// Value and range of a cell; zero where the table has no such row.
fn page_lookup(plane: u32, level: i32, cell: vec3<i32>) -> vec2<u32> {
    let c = vec3<u32>(cell);
    let low = c.x | (c.y << 15u) | (c.z << 30u);
    let high = (c.z >> 2u) | (u32(level) << 13u) | (plane << 17u);
    let mask = u_wobject.counts.w;
    var row = page_hash(low, high) & mask;
    for (var i = 0; i < 256; i = i + 1) {
        let page = s_pages[row];
        if (page.x == low && page.y == high) {
            $$ if has_feedback
            p_row = row;
            $$ endif
            return page.zw;
        }
        if (page.x == PAGE_EMPTY && page.y == PAGE_EMPTY) { break; }
        row = (row + 1u) & mask;
    }
    return vec2<u32>(0u, 0u);
}

fn top_level() -> i32 { return i32(u_wobject.counts.y); }

// The finest level that is looked for: where something of it, or of a coarser one, is
// drawn, rays go no further down. Where nothing is they do, so that no place is blank.
fn finest_level() -> i32 { return u_wobject.detail.x; }

// Walk down from level `hint`; begin again at the top if nothing is found there.
fn locate(ray: Ray, t: f32, plane: u32, hint: i32) -> Cell {
    var found: Cell;
    found.level = -1;
    found.hint = top_level();
    found.first_level = -1;
    found.t_exit = FAR;
    let finest = finest_level();
    var level = max(hint, finest);
    var is_from_top = level == top_level();
    for (var i = 0; i < 40; i = i + 1) {
        let scale = u_wobject.lv_scale[level].xyz;
        let start = ray.origin * scale + u_wobject.lv_shift[level].xyz;
        let direction = ray.direction * scale;
        let brick = u_wobject.lv_brick[level].xyz;
        let first = -u_wobject.lv_cell0[level].xyz;
        let last = u_wobject.lv_grid[level].xyz - 1 + first;
        // Positions are rounded, and so are the places where the ray leaves a cell. A
        // little ahead on the ray, by more than both, no cell is found that it has
        // left: rays that run along a face would else go on by tiny steps.
        let way = direction * t;
        let ahead = sign(direction) * ((abs(start) + abs(way)) * ROUNDING);
        let q = start + way + 0.5 + ahead;
        let cell = clamp(vec3<i32>(floor(q / brick)), first, last);
        let page = page_lookup(plane, level, cell - first);
        let is_active = (page.x & (PAGE_DATA | PAGE_CONSTANT)) != 0u;
        let is_finer = (page.x & PAGE_FINER) != 0u;

        // Chunks with empty octants are walked octant by octant.
        let corner = vec3<f32>(cell) * brick;
        let middle = floor(0.5 * brick);
        let upper = q - corner >= middle;
        let bits = (page.x >> PAGE_OCTANTS) & 255u;
        // With data and failed: the bits tell in which octants voxels lack.
        let has_holes = is_active && (page.x & PAGE_FAILED) != 0u;
        let split = vec3<bool>(bits != 0u && (!is_finer || level <= finest) && (has_holes || u_split()));
        let low = corner + select(vec3<f32>(0.0), middle, upper & split);
        let high = corner + select(brick, middle, (!upper) & split);

        // Cells at the ends of the grid reach outwards without end.
        let forward = direction > vec3<f32>(0.0);
        let face = select(low, high, forward) - 0.5;
        let is_open = (direction == vec3<f32>(0.0))
            | (forward & (cell == last) & (upper | !split))
            | ((!forward) & (cell == first) & !(upper & split));
        let safe = select(direction, vec3<f32>(1.0), direction == vec3<f32>(0.0));
        let exits = select((face - start) / safe, vec3<f32>(FAR), is_open);
        found.t_exit = min(found.t_exit, min(exits.x, min(exits.y, exits.z)));

        let octant = dot(select(vec3<u32>(0u), vec3<u32>(1u, 2u, 4u), upper), vec3<u32>(1u));
        let is_marked = ((bits >> octant) & 1u) != 0u;
        if (is_active) {
            let is_empty = split.x && is_marked && !has_holes;
            $$ if has_feedback
            p_found = p_row;
            $$ endif
            found.value = page.x;
            found.range = select(page.y, (page.y & 0xffffu) * 0x10001u, is_empty);
            found.level = level;
            found.hint = level;
            found.origin = corner;
            found.start = start;
            found.direction = direction;
        }
        // What is drawn stands for whatever failed above it.
        let is_failed = (page.x & PAGE_FAILED) != 0u && (!is_active || is_marked);
        found.is_failed = is_failed || (found.is_failed && !is_active);
        let is_enough = is_active && level <= finest;
        if (is_finer && level > 0 && !is_enough) {
            level = level - 1;
        } else if (found.level < 0 && !is_from_top) {
            is_from_top = true;
            level = top_level();
            found.t_exit = FAR;
            found.is_failed = false;
        } else {
            break;
        }
    }
    if (found.level >= 0) { stay_within_level(&found, t); }
    return found;
}

// The chunks at the ends of a grid reach outwards without end, their voxels do not:
// from the faces of its level on such a cell is void. Where rounding made a level end
// less than one of its voxels inside level 0, its outermost voxels fill the rest.
fn stay_within_level(cell: ptr<function, Cell>, t: f32) {
    let level = (*cell).level;
    let start = (*cell).start;
    let direction = (*cell).direction;
    let low = u_wobject.{{ 'lv_near' if mode == 'slice' else 'lv_low' }}[level].xyz - SLACK;
    let high = u_wobject.lv_far[level].xyz + SLACK;
    let way = direction * t;
    let q = start + way + sign(direction) * ((abs(start) + abs(way)) * ROUNDING);
    let is_below = q < low;
    let is_above = q > high;
    let forward = direction > vec3<f32>(0.0);
    let face = select(select(low, high, is_above), select(high, low, is_below), forward);
    let is_open = (direction == vec3<f32>(0.0)) | select(is_below, is_above, forward);
    let safe = select(direction, vec3<f32>(1.0), direction == vec3<f32>(0.0));
    let exits = select((face - start) / safe, vec3<f32>(FAR), is_open);
    (*cell).t_exit = min((*cell).t_exit, min(exits.x, min(exits.y, exits.z)));
    if (any(is_below | is_above)) {
        (*cell).level = -1;
        (*cell).is_void = true;
    }
}

fn advance(t: f32) -> f32 {
    // Far enough to be beyond a face in float32, near enough to skip no voxel.
    return t + max(1.0e-3, abs(t) * 1.0e-6);
}

fn first_cell(ray: Ray) -> Cell {
    var cell: Cell;
    cell.level = -1;
    cell.hint = top_level();
    cell.first_level = -1;
    cell.t_exit = ray.t0;
    return cell;
}

fn step_on(ray: Ray, cell: Cell, plane: u32) -> Cell {
    let t = cell.t_exit;
    var next = locate(ray, advance(t), plane, cell.hint);
    next.t_enter = t;
    next.t_exit = min(max(next.t_exit, advance(t)), ray.t1);
    next.first_level = select(cell.first_level, next.level, cell.first_level < 0);
    $$ if has_feedback
    p_end = max(p_end, next.t_exit);
    // Every ray writes the same word, so the order does not matter.
    if (next.level >= 0 || next.is_void) { s_reached[p_found] = 1u; }
    $$ endif
    return next;
}

// Go on to the next cell whose samples can matter; false at the end of the ray.
fn next_cell(ray: Ray, cell: ptr<function, Cell>, plane: u32, limit: f32) -> bool {
    for (var i = 0; i < MAX_CELLS && (*cell).t_exit < ray.t1; i = i + 1) {
        let next = step_on(ray, *cell, plane);
        *cell = next;
        if (next.level >= 0 && can_matter(next, limit)) { return true; }
    }
    return false;
}

fn is_constant(cell: Cell) -> bool { return (cell.value & PAGE_CONSTANT) != 0u; }

// Lowest and highest sample of a chunk, in sample units, border included.
fn page_range(range: u32) -> vec2<f32> {
    $$ if range_format == 'unorm'
    return unpack2x16unorm(range);
    $$ else
    return bitcast<vec2<f32>>(vec2<u32>(range << 16u, range & 0xffff0000u));
    $$ endif
}

// Whether a chunk can hold a sample beyond the limit (below it for minip).
fn can_matter(cell: Cell, limit: f32) -> bool {
    $$ if is_integer
    return is_constant(cell) || (cell.range >> 16u) != 0u || !u_skip();
    $$ else
    let flat = vec2<f32>(bitcast<f32>(cell.range));
    let bounds = select(page_range(cell.range), flat, is_constant(cell));
    $$ if mode == 'minip'
    let is_beyond = bounds.x < limit;
    $$ else
    let is_beyond = bounds.y > limit;
    $$ endif
    return is_beyond || !(u_skip() || is_constant(cell));
    $$ endif
}

fn is_nan(v: f32) -> bool {
    return (bitcast<u32>(v) & 0x7fffffffu) > 0x7f800000u;
}
