// Samples of one chunk along a ray.
//
// Along the dominant axis of the ray, samples lie at fixed voxel coordinates
// (k + 0.5) * step - 0.5 of the sampled level: at voxel centres for a step of 1.
// They do not depend on where bricks begin, so bricks leave no seams, skipping
// changes nothing, and an axis-parallel ray meets every voxel exactly once: those of
// the level, from its first to its last, whatever the box of level 0 is.

struct Run {
    count: i32,
    start: vec3<f32>,   // texel of the first sample
    step: vec3<f32>,    // texels between samples
    top: vec3<f32>,     // last texel of the slot
    t: f32,             // of the first sample
    dt: f32,
};

fn run_of(cell: Cell) -> Run {
    let start = cell.start;
    let direction = cell.direction;
    let size = abs(direction);
    let is_x = size.x >= size.y && size.x >= size.z;
    let is_y = !is_x && size.y >= size.z;
    let dominant = vec3<bool>(is_x, is_y, !is_x && !is_y);
    let one = select(vec3<f32>(0.0), vec3<f32>(1.0), dominant);
    let rate = dot(direction, one);
    let along = sign(rate);
    let step = u_wobject.options.x;

    // Index of a sample as a function of t, growing along the ray.
    let offset = along * ((dot(start, one) + 0.5) / step - 0.5);
    let slope = abs(rate) / step;
    // Counted, not measured: at the faces of the level no rounding decides.
    let faces = vec2<f32>(
        dot(u_wobject.lv_low[cell.level].xyz, one), dot(u_wobject.lv_high[cell.level].xyz, one)
    );
    let ends = along * ((faces + 0.5) / step - 0.5);
    let first = ceil(max(offset + slope * cell.t_enter, min(ends.x, ends.y)));
    var run: Run;
    run.count = i32(ceil(min(offset + slope * cell.t_exit, max(ends.x, ends.y))) - first);
    run.dt = 1.0 / slope;
    run.t = (first - offset) * run.dt;

    let q_dominant = (along * first + 0.5) * step - 0.5;
    var q = select(start + direction * run.t, vec3<f32>(q_dominant), dominant);
    var q_step = select(direction * run.dt, vec3<f32>(along * step), dominant);
    // A ray along an axis through voxel centres shall meet them exactly.
    let nearest = round(q);
    let is_still = abs(q_step) < vec3<f32>(1.0e-5 * step);
    let snap = is_still & (abs(q - nearest) < vec3<f32>(2.0e-3));
    q = select(q, nearest, snap);
    q_step = select(q_step, vec3<f32>(0.0), is_still);

    run.start = q + texel_shift(cell);
    run.top = top_texel(cell);
    run.step = q_step;
    return run;
}

// From level space to texels of the chunk's texture.
fn texel_shift(cell: Cell) -> vec3<f32> {
    return u_wobject.lv_border[cell.level].xyz + 0.5 - cell.origin
        + slot_position(cell.value) * u_wobject.lv_slot[cell.level].xyz;
}

// A level may end a little before the volume does: samples stay in their slot.
fn top_texel(cell: Cell) -> vec3<f32> {
    return (slot_position(cell.value) + 1.0) * u_wobject.lv_slot[cell.level].xyz - 0.5;
}

fn texel_of(run: Run, j: i32) -> vec3<f32> {
    return min(run.start + f32(j) * run.step, run.top);
}

$$ if mode == 'slice'
// Half a voxel's edge belongs to the voxel behind it, for whole pictures alike.
const UPWARD: f32 = {{ '1.0e-3' if is_integer or interpolation == 'nearest' else '0.0' }};

fn cell_on_plane(ray: Ray, plane: u32) -> Cell {
    var here = ray;
    here.origin = ray.spot + UPWARD;
    // A place, not a way: what lies ahead does not matter.
    here.direction = vec3<f32>(0.0);
    return locate(here, 0.0, plane, top_level());
}

// Through voxel centres, at one pixel a voxel, exactly those.
fn texel_on_plane(cell: Cell) -> vec3<f32> {
    let nearest = round(cell.start);
    $$ if is_integer or interpolation == 'nearest'
    let q = nearest;
    $$ else
    let q = select(cell.start, nearest, abs(cell.start - nearest) < vec3<f32>(2.0e-3));
    $$ endif
    let first = slot_position(cell.value) * u_wobject.lv_slot[cell.level].xyz + 0.5;
    return clamp(q + texel_shift(cell), first, top_texel(cell));
}
$$ endif

fn slot_position(value: u32) -> vec3<f32> {
    return vec3<f32>(
        f32(value & 63u), f32((value >> 6u) & 63u), f32((value >> 12u) & 63u)
    );
}

// Levels of equal bricks share a texture, so mostly there is one: the text of the
// program, and with it what has to be compiled, does not depend on how many levels.
fn texture_of(level: i32) -> i32 {
    return u_wobject.lv_grid[level].w;
}

$$ if is_integer
$$ for l in range(n_textures)
fn load_{{ l }}(texel: vec3<f32>) -> u32 {
    // Cut, not rounded down: a hair before the first texel it is still the first.
    return textureLoad(t_bricks{{ l }}, vec3<i32>(texel), 0).r;
}
$$ endfor

fn load_label(level: i32, texel: vec3<f32>) -> u32 {
    switch texture_of(level) {
        $$ for l in range(1, n_textures)
        case {{ l }}: { return load_{{ l }}(texel); }
        $$ endfor
        default: { return load_0(texel); }
    }
}
$$ else

$$ for l in range(n_textures)
$$ if may_be_nonfinite
// Trilinear without the voxels that are not numbers; NaN where the nearest is.
fn careful_{{ l }}(texel: vec3<f32>) -> f32 {
    let nearest = textureLoad(t_bricks{{ l }}, vec3<i32>(texel), 0).r;
    $$ if interpolation == 'nearest'
    return nearest;
    $$ else
    if (is_nan(nearest)) { return nearest; }
    let base = floor(texel - 0.5);
    let f = texel - 0.5 - base;
    let top = vec3<i32>(textureDimensions(t_bricks{{ l }})) - 1;
    var sum = 0.0;
    var weights = 0.0;
    for (var i = 0; i < 8; i = i + 1) {
        let d = vec3<i32>(i & 1, (i >> 1u) & 1, i >> 2u);
        let w3 = select(1.0 - f, f, d == vec3<i32>(1));
        let w = w3.x * w3.y * w3.z;
        let at = clamp(vec3<i32>(base) + d, vec3<i32>(0), top);
        let v = textureLoad(t_bricks{{ l }}, at, 0).r;
        if (w > 0.0 && !is_nan(v)) {
            sum = sum + w * v;
            weights = weights + w;
        }
    }
    return sum / weights;
    $$ endif
}
$$ endif
$$ endfor

fn sample_at(level: i32, texel: vec3<f32>, value: u32) -> f32 {
    let uvw = texel * u_wobject.lv_inverse[level].xyz;
    switch texture_of(level) {
        $$ for l in range(n_textures)
        {{ 'case %d' % l if l else 'default' }}: {
            $$ if may_be_nonfinite
            if ((value & PAGE_NONFINITE) != 0u) { return careful_{{ l }}(texel); }
            $$ endif
            return textureSampleLevel(t_bricks{{ l }}, s_bricks, uvw, 0.0).r;
        }
        $$ endfor
    }
}

// A sample of a chunk whatever its kind.
fn value_of(cell: Cell, texel: vec3<f32>) -> f32 {
    if (is_constant(cell)) { return bitcast<f32>(cell.range); }
    return sample_at(cell.level, texel, cell.value);
}
$$ endif
