// What a ray sees, a channel at a time. Each mode's formula is stated in
// docs/explanation/modes.md and repeated by a plain numpy ray caster in the tests.
//
// What happens once a ray stands behind the loops: software renderers carry out
// the inside of an `if` for every sample, taken or not.

struct Seen {
    color: vec4<f32>,   // sRGB, straight alpha
    t: f32,             // where the picture comes from: depth and picking
    level: i32,
    is_seen: bool,      // false: no data on the ray
};

fn normalised(sample: f32, channel: i32) -> f32 {
    let window = u_wobject.ch_window[channel];
    let v = clamp((sample - window.x) * window.y, 0.0, 1.0);
    // The branch keeps gamma 1 exact.
    if (window.z == 1.0) { return v; }
    return pow(v, window.z);
}

// Between two entries by hand: a sampler may round a table of bytes to bytes, which
// adds up along a ray through faint voxels.
fn lut(v: f32, channel: i32) -> vec4<f32> {
    let at = v * 255.0;
    let low = i32(floor(at));
    let first = textureLoad(t_lut, vec2<i32>(low, channel), 0);
    let second = textureLoad(t_lut, vec2<i32>(min(low + 1, 255), channel), 0);
    return mix(first, second, at - f32(low));
}

// The same without the eighth-bit steps of a texture filter, rounded to what a
// picture can hold as numpy does it: ties to the even value, also where 32 bits
// miss the tie by a hair.
fn exact_lut(v: f32, channel: i32) -> vec4<f32> {
    let u = v * 255.0;
    let i = clamp(i32(u), 0, 254);
    let low = round(255.0 * textureLoad(t_lut, vec2<i32>(i, channel), 0));
    let high = round(255.0 * textureLoad(t_lut, vec2<i32>(i + 1, channel), 0));
    let c = low + (high - low) * (u - f32(i));
    let tie = floor(c) + 0.5;
    return round(select(c, tie, abs(c - tie) < vec4<f32>(1e-4))) / 255.0;
}

// How light a surface is. Headlight: how much it faces the eye, 0.3 at the rim to 1.
// A raking light beside it: 0.15 where neither reaches, the side towards the eye lit.
fn shade(ray: Ray, gradient: vec3<f32>) -> f32 {
    let normal = u_wobject.normal_x.xyz * gradient.x
        + u_wobject.normal_y.xyz * gradient.y + u_wobject.normal_z.xyz * gradient.z;
    let direction = u_wobject.world_x.xyz * ray.direction.x
        + u_wobject.world_y.xyz * ray.direction.y + u_wobject.world_z.xyz * ray.direction.z;
    let size = length(normal) * length(direction);
    if (size <= 0.0) { return 1.0; }
    let facing = dot(normal, direction) / size;
    if (u_wobject.light.w > 0.0) {
        let raking = -sign(facing) * dot(normal, u_wobject.light.xyz) / length(normal);
        return 0.15 + 0.25 * abs(facing) + 0.6 * max(raking, 0.0);
    }
    return 0.3 + 0.7 * abs(dot(normal, direction)) / size;
}

$$ if is_integer
fn label_color(label: u32) -> vec3<f32> {
    // Golden-ratio steps of hue keep neighbouring numbers apart.
    var h = label * 0x9E3779B1u;
    h = h ^ (h >> 16u);
    let hue = fract(f32(h & 0xffffu) / 65536.0) * 6.0;
    let value = 0.75 + 0.25 * f32((h >> 20u) & 15u) / 15.0;
    let saturation = 0.55 + 0.4 * f32((h >> 16u) & 15u) / 15.0;
    let ramp = clamp(
        vec3<f32>(abs(hue - 3.0) - 1.0, 2.0 - abs(hue - 2.0), 2.0 - abs(hue - 4.0)),
        vec3<f32>(0.0), vec3<f32>(1.0)
    );
    return value * mix(vec3<f32>(1.0), ramp, saturation);
}

// Which of the colours a label takes: they take turns from 1 on, downwards from 0
// as well. The lowest number there is wraps to the highest, as integers do.
fn turn_of(label: u32) -> u32 {
    let n = u_wobject.label_table.y - 1u;
    let bits = u_wobject.label_table.z;
    let sign = select(0u, 1u << (bits - 1u), bits != 0u);
    if (bits == 0u || label <= sign) { return (label - 1u) % n + 1u; }
    let below = (0u - label) & (sign | (sign - 1u));
    let back = (below % n + 1u) % n;
    return (n - back) % n + 1u;
}

fn label_rgba(label: u32) -> vec4<f32> {
    let table = u_wobject.label_table;
    if (table.y == 0u) { return vec4<f32>(label_color(label), 1.0); }
    var low = 0u;
    var high = table.x;
    while (low < high) {
        let middle = (low + high) / 2u;
        if (s_labels[middle].x < label) { low = middle + 1u; } else { high = middle; }
    }
    if (low == table.x || s_labels[low].x != label) { low = table.x + turn_of(label); }
    return unpack4x8unorm(s_labels[low].y);
}

fn is_shown(label: u32) -> bool {
    let chosen = u_wobject.label_options;
    if (label == 0u || (chosen.x != 0u && label != chosen.y)) { return false; }
    if (u_wobject.label_table.w == 0u) { return true; }
    return label_rgba(label).a > 0.0;
}

$$ if mode == 'slice'
fn cast_labels(ray: Ray, channel: i32) -> Seen {
    let cell = cell_on_plane(ray, u_wobject.ch_plane[channel].x);
    var label = 0u;
    if (cell.level >= 0) {
        label = cell.range;
        if (!is_constant(cell)) { label = load_label(cell.level, texel_on_plane(cell)); }
    }
    var seen = Seen(vec4<f32>(0.0), ray.t, cell.level, cell.level >= 0);
    if (is_shown(label)) { seen.color = label_rgba(label); }
    return seen;
}
$$ else
fn cast_labels(ray: Ray, channel: i32) -> Seen {
    let plane = u_wobject.ch_plane[channel].x;
    var label = 0u;
    var t = ray.t1;
    var texel = vec3<f32>(0.0);
    var cell = first_cell(ray);
    while (label == 0u && next_cell(ray, &cell, plane, 0.0)) {
        let run = run_of(cell);
        for (var j = 0; j < run.count; j = j + 1) {
            texel = texel_of(run, j);
            var one = cell.range;
            if (!is_constant(cell)) { one = load_label(cell.level, texel); }
            if (is_shown(one)) {
                label = one;
                t = run.t + f32(j) * run.dt;
                break;
            }
        }
    }
    var seen = Seen(vec4<f32>(0.0), t, cell.first_level, cell.first_level >= 0);
    if (label != 0u) {
        var lit = 1.0;
        if (u_wobject.label_options.z != 0u && !is_constant(cell)) {
            lit = label_shade(ray, cell, texel, label);
        }
        let color = label_rgba(label);
        seen.color = vec4<f32>(color.rgb * lit, color.a);
        seen.level = cell.level;
    }
    return seen;
}

// Headlight shading from where the same label ends.
fn label_shade(ray: Ray, cell: Cell, texel: vec3<f32>, label: u32) -> f32 {
    var normal = vec3<f32>(0.0);
    for (var axis = 0; axis < 3; axis = axis + 1) {
        var step = vec3<f32>(0.0);
        step[axis] = select(0.0, 1.0, u_wobject.lv_border[cell.level][axis] > 0.0);
        let low = select(0.0, 1.0, load_label(cell.level, texel - step) == label);
        let high = select(0.0, 1.0, load_label(cell.level, texel + step) == label);
        normal[axis] = low - high;
    }
    return shade(ray, normal * u_wobject.lv_scale[cell.level].xyz);
}
$$ endif
$$ endif

$$ if not is_integer
$$ if mode == 'slice'
fn cast_channel(ray: Ray, channel: i32) -> Seen {
    let cell = cell_on_plane(ray, u_wobject.ch_plane[channel].x);
    var v = 0.0;
    if (cell.level >= 0) {
        let s = value_of(cell, texel_on_plane(cell));
        if (!is_nan(s)) { v = normalised(s, channel); }
    }
    return Seen(exact_lut(v, channel), ray.t, cell.level, cell.level >= 0);
}
$$ endif

$$ if mode in ('mip', 'minip')
$$ set beats = '>' if mode == 'mip' else '<'
$$ for l in range(n_textures)
fn extreme_{{ l }}(run: Run, level: i32, value: u32, at_start: vec2<f32>) -> vec2<f32> {
    var best = at_start;
    $$ if may_be_nonfinite
    if ((value & PAGE_NONFINITE) != 0u) {
        for (var j = 0; j < run.count; j = j + 1) {
            let v = careful_{{ l }}(texel_of(run, j));
            if (!is_nan(v) && v {{ beats }} best.x) { best = vec2<f32>(v, f32(j)); }
        }
        return best;
    }
    $$ endif
    let start = run.start * u_wobject.lv_inverse[level].xyz;
    let step = run.step * u_wobject.lv_inverse[level].xyz;
    let top = run.top * u_wobject.lv_inverse[level].xyz;
    for (var j = 0; j < run.count; j = j + 1) {
        let v = textureSampleLevel(t_bricks{{ l }}, s_bricks, min(start + f32(j) * step, top), 0.0).r;
        if (v {{ beats }} best.x) { best = vec2<f32>(v, f32(j)); }
    }
    return best;
}
$$ endfor

fn cast_channel(ray: Ray, channel: i32) -> Seen {
    let plane = u_wobject.ch_plane[channel].x;
    var best = {{ '-FAR' if mode == 'mip' else 'FAR' }};
    var t = ray.t0;
    var level = -1;
    var cell = first_cell(ray);
    while (next_cell(ray, &cell, plane, best)) {
        let run = run_of(cell);
        var result = vec2<f32>(best, -1.0);
        if (is_constant(cell)) {
            if (run.count > 0) { result = vec2<f32>(bitcast<f32>(cell.range), 0.0); }
        } else {
            switch texture_of(cell.level) {
                $$ for l in range(1, n_textures)
                case {{ l }}: { result = extreme_{{ l }}(run, cell.level, cell.value, result); }
                $$ endfor
                default: { result = extreme_0(run, cell.level, cell.value, result); }
            }
        }
        if (result.y >= 0.0) {
            best = result.x;
            t = run.t + result.y * run.dt;
            level = cell.level;
        }
    }
    var v = 0.0;
    if (level >= 0) { v = normalised(best, channel); } else { level = cell.first_level; }
    return Seen(exact_lut(v, channel), t, level, cell.first_level >= 0);
}
$$ endif

$$ if mode == 'average'
$$ for l in range(n_textures)
fn sum_{{ l }}(run: Run, level: i32, value: u32) -> vec2<f32> {
    var sum = 0.0;
    $$ if may_be_nonfinite
    if ((value & PAGE_NONFINITE) != 0u) {
        var n = 0.0;
        for (var j = 0; j < run.count; j = j + 1) {
            let v = careful_{{ l }}(texel_of(run, j));
            if (!is_nan(v)) { sum = sum + v; n = n + 1.0; }
        }
        return vec2<f32>(sum, n);
    }
    $$ endif
    let start = run.start * u_wobject.lv_inverse[level].xyz;
    let step = run.step * u_wobject.lv_inverse[level].xyz;
    let top = run.top * u_wobject.lv_inverse[level].xyz;
    for (var j = 0; j < run.count; j = j + 1) {
        sum = sum + textureSampleLevel(t_bricks{{ l }}, s_bricks, min(start + f32(j) * step, top), 0.0).r;
    }
    return vec2<f32>(sum, f32(max(run.count, 0)));
}
$$ endfor

fn cast_channel(ray: Ray, channel: i32) -> Seen {
    let plane = u_wobject.ch_plane[channel].x;
    var sum = 0.0;
    var weight = 0.0;
    var cell = first_cell(ray);
    while (next_cell(ray, &cell, plane, -FAR)) {
        let run = run_of(cell);
        var part = vec2<f32>(0.0);
        if (is_constant(cell)) {
            part = vec2<f32>(bitcast<f32>(cell.range), 1.0) * f32(max(run.count, 0));
        } else {
            switch texture_of(cell.level) {
                $$ for l in range(1, n_textures)
                case {{ l }}: { part = sum_{{ l }}(run, cell.level, cell.value); }
                $$ endfor
                default: { part = sum_0(run, cell.level, cell.value); }
            }
        }
        sum = sum + part.x * run.dt;
        weight = weight + part.y * run.dt;
    }
    var v = 0.0;
    if (weight > 0.0) { v = normalised(sum / weight, channel); }
    return Seen(exact_lut(v, channel), ray.t0, cell.first_level, cell.first_level >= 0);
}
$$ endif

$$ if mode == 'attenuated_mip'
fn cast_channel(ray: Ray, channel: i32) -> Seen {
    let plane = u_wobject.ch_plane[channel].x;
    // Chunks at or below the window add nothing to the maximum or the sum.
    let low = u_wobject.ch_window[channel].x;
    var best = 0.0;
    var sum = 0.0;
    var t = ray.t0;
    var level = -1;
    var cell = first_cell(ray);
    while (next_cell(ray, &cell, plane, low)) {
        let run = run_of(cell);
        let weight = run.dt * ray.length;
        let own = 0.5 * (weight - 1.0);
        for (var j = 0; j < run.count; j = j + 1) {
            let s = value_of(cell, texel_of(run, j));
            let v = select(normalised(s, channel), 0.0, is_nan(s));
            // What lies before the length of a voxel's edge round the sample, whatever
            // the distance of samples is: levels and steps are equally bright.
            let before = max(sum + v * own, 0.0);
            let shown = v * exp(-u_wobject.options.y * before);
            if (shown > best) {
                best = shown;
                t = run.t + f32(j) * run.dt;
                level = cell.level;
            }
            sum = sum + v * weight;
        }
        if (exp(-u_wobject.options.y * (sum - 0.5)) <= best) { break; }
    }
    if (level < 0) { level = cell.first_level; }
    return Seen(lut(best, channel), t, level, cell.first_level >= 0);
}
$$ endif

$$ if mode == 'additive'
fn cast_channel(ray: Ray, channel: i32) -> Seen {
    let plane = u_wobject.ch_plane[channel].x;
    // Chunks at or below the window are dark where the first colour is black.
    let is_dark_below = u_wobject.ch_more[channel].y > 0.0;
    let limit = select(-FAR, u_wobject.ch_window[channel].x, is_dark_below);
    var depth = vec3<f32>(0.0);
    var cell = first_cell(ray);
    while (next_cell(ray, &cell, plane, limit)) {
        let run = run_of(cell);
        var kept = vec3<f32>(1.0);
        for (var j = 0; j < run.count; j = j + 1) {
            let s = value_of(cell, texel_of(run, j));
            let color = lut(normalised(s, channel), channel);
            let one = max(1.0 - color.rgb * color.a, vec3<f32>(1.0e-6));
            // Far below what 8 bits show, and far above what float32 loses.
            kept = max(kept * select(one, vec3<f32>(1.0), is_nan(s)), vec3<f32>(1.0e-30));
        }
        depth = depth - log(kept) * run.dt * ray.length;
        if (min(depth.x, min(depth.y, depth.z)) > 14.0) { break; }
    }
    let color = vec4<f32>(1.0 - exp(-depth), 1.0);
    return Seen(color, ray.t0, cell.first_level, cell.first_level >= 0);
}
$$ endif

$$ if mode == 'iso' or is_shaded
// Half a voxel to either side: within the border of one voxel that a brick has.
fn gradient_in(cell: Cell, texel: vec3<f32>) -> vec3<f32> {
    var gradient = vec3<f32>(0.0);
    for (var axis = 0; axis < 3; axis = axis + 1) {
        var step = vec3<f32>(0.0);
        step[axis] = 0.5;
        let high = value_of(cell, min(texel + step, top_texel(cell)));
        gradient[axis] = high - value_of(cell, texel - step);
    }
    return gradient * u_wobject.lv_scale[cell.level].xyz;
}
$$ endif

$$ if mode == 'iso'
fn texel_in(cell: Cell, t: f32) -> vec3<f32> {
    return min(cell.start + cell.direction * t + texel_shift(cell), top_texel(cell));
}

fn value_at(ray: Ray, t: f32, plane: u32, hint: i32) -> f32 {
    let cell = locate(ray, t, plane, hint);
    if (cell.level < 0) { return -FAR; }
    return value_of(cell, texel_in(cell, t));
}

fn cast_channel(ray: Ray, channel: i32) -> Seen {
    let plane = u_wobject.ch_plane[channel].x;
    let threshold = u_wobject.ch_more[channel].x;
    // A chunk whose highest value is the threshold itself has a surface.
    let limit = threshold - max(abs(threshold) * 1.0e-6, 1.0e-30);
    var t = FAR;
    var dt = 0.0;
    var cell = first_cell(ray);
    while (t == FAR && next_cell(ray, &cell, plane, limit)) {
        let run = run_of(cell);
        for (var j = 0; j < run.count; j = j + 1) {
            if (value_of(cell, texel_of(run, j)) >= threshold) {
                t = run.t + f32(j) * run.dt;
                dt = run.dt;
                break;
            }
        }
    }
    var seen = Seen(vec4<f32>(0.0), t, cell.first_level, cell.first_level >= 0);
    if (t < FAR) {
        // Bisect between this sample and the one before, perhaps in another chunk.
        var back = max(t - dt, ray.t0);
        if (t - dt < ray.t0 || locate(ray, back, plane, cell.hint).level < 0) { back = t; }
        for (var k = 0; k < 6; k = k + 1) {
            let middle = 0.5 * (back + t);
            if (value_at(ray, middle, plane, cell.hint) >= threshold) { t = middle; }
            else { back = middle; }
        }
        let at = locate(ray, t, plane, cell.hint);
        let color = lut(normalised(threshold, channel), channel);
        let gradient = gradient_in(at, texel_in(at, t));
        seen.color = vec4<f32>(color.rgb * shade(ray, gradient), color.a);
        seen.t = t;
        seen.level = at.level;
    }
    return seen;
}
$$ endif

$$ if is_shaded
// Where values change little there is no surface to be lit: full shading from a change
// of a tenth of the window in the length of the shortest edge of a voxel.
fn shade_of_sample(ray: Ray, cell: Cell, texel: vec3<f32>, channel: i32) -> f32 {
    let gradient = gradient_in(cell, texel);
    let normal = u_wobject.normal_x.xyz * gradient.x
        + u_wobject.normal_y.xyz * gradient.y + u_wobject.normal_z.xyz * gradient.z;
    let change = length(normal) * u_wobject.ch_window[channel].y / u_wobject.depth.w;
    let lit = mix(1.0, shade(ray, gradient), clamp(10.0 * change, 0.0, 1.0));
    return select(lit, 1.0, is_nan(lit));
}
$$ endif

$$ if mode == 'translucent'
// Channels mix sample by sample: a voxel emits the sum of its channels' colours.
fn cast_all(ray: Ray) -> Seen {
    var seen = Seen(vec4<f32>(0.0), ray.t1, -1, false);
    var color = vec3<f32>(0.0);
    var clear = 1.0;
    var cells: array<Cell, {{ n_channels }}>;
    var runs: array<Run, {{ n_channels }}>;
    for (var c = 0; c < {{ n_channels }}; c = c + 1) { cells[c] = first_cell(ray); }
    var t = ray.t0;
    for (var i = 0; i < MAX_CELLS && t < ray.t1; i = i + 1) {
        var t_exit = ray.t1;
        var finest = -1;
        var matters = false;
        for (var c = 0; c < {{ n_channels }}; c = c + 1) {
            if (u_wobject.ch_plane[c].y == 0u) { continue; }
            cells[c].t_exit = t;
            cells[c] = step_on(ray, cells[c], u_wobject.ch_plane[c].x);
            t_exit = min(t_exit, cells[c].t_exit);
            if (cells[c].level < 0) { continue; }
            if (seen.level < 0) { seen.level = cells[c].level; }
            // The finest channel sets the samples, whether or not it is dark here.
            if (finest < 0 || cells[c].level < cells[finest].level) { finest = c; }
            matters = matters || can_matter(cells[c], u_wobject.ch_window[c].x);
        }
        t = t_exit;
        if (!matters) { continue; }
        for (var c = 0; c < {{ n_channels }}; c = c + 1) {
            cells[c].t_exit = t_exit;
            if (cells[c].level >= 0) { runs[c] = run_of(cells[c]); }
        }
        let guide = runs[finest];
        for (var j = 0; j < guide.count && clear > 0.002; j = j + 1) {
            var glow = vec3<f32>(0.0);
            var alpha = 0.0;
            let at = guide.t + f32(j) * guide.dt;
            for (var c = 0; c < {{ n_channels }}; c = c + 1) {
                if (u_wobject.ch_plane[c].y == 0u || cells[c].level < 0) { continue; }
                let steps = (at - runs[c].t) / runs[c].dt;
                let texel = min(runs[c].start + steps * runs[c].step, runs[c].top);
                let s = value_of(cells[c], texel);
                if (is_nan(s)) { continue; }
                let v = normalised(s, c);
                let shown = lut(v, c);
                let a = min(v * shown.a * u_wobject.ch_window[c].w, 0.9999);
                $$ if is_shaded
                var lit = 1.0;
                if (a > 0.0) { lit = shade_of_sample(ray, cells[c], texel, c); }
                glow = glow + shown.rgb * (a * lit);
                $$ else
                glow = glow + shown.rgb * a;
                $$ endif
                alpha = 1.0 - (1.0 - alpha) * (1.0 - a);
            }
            if (alpha > 0.0) {
                let covered = 1.0 - pow(1.0 - alpha, guide.dt * ray.length);
                if (clear == 1.0) { seen.t = at; }
                color = color + clear * covered * min(glow / alpha, vec3<f32>(1.0));
                clear = clear * (1.0 - covered);
            }
        }
        if (clear <= 0.002) { break; }
    }
    seen.is_seen = seen.level >= 0;
    if (clear < 1.0) { seen.color = vec4<f32>(color / (1.0 - clear), 1.0 - clear); }
    return seen;
}
$$ endif
$$ endif
