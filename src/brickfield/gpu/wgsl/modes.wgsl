// What a ray sees, a channel at a time. Each mode's formula is stated in
// docs/explanation/modes.md and repeated by a plain numpy ray caster in the tests.

struct Seen {
    color: vec4<f32>,   // sRGB, straight alpha
    t: f32,             // where the picture comes from: depth and picking
    level: i32,
    is_seen: bool,      // false: no data on the ray yet
};

fn normalised(sample: f32, channel: i32) -> f32 {
    let window = u_wobject.ch_window[channel];
    let v = clamp((sample - window.x) * window.y, 0.0, 1.0);
    // The branch keeps gamma 1 exact.
    if (window.z == 1.0) { return v; }
    return pow(v, window.z);
}

fn lut(v: f32, channel: i32) -> vec4<f32> {
    let u = (v * 255.0 + 0.5) / 256.0;
    let row = (f32(channel) + 0.5) / f32({{ n_channels }});
    return textureSampleLevel(t_lut, s_lut, vec2<f32>(u, row), 0.0);
}

fn advance(t: f32) -> f32 {
    // Far enough to be beyond a face in float32, near enough to skip no voxel.
    return t + max(1.0e-3, abs(t) * 1.0e-6);
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

fn is_shown(label: u32) -> bool {
    let chosen = u_wobject.label_options;
    return label != 0u && (chosen.x == 0u || label == chosen.y);
}

fn cast_labels(ray: Ray, channel: i32) -> Seen {
    var seen = Seen(vec4<f32>(0.0), ray.t1, -1, false);
    let plane = u_wobject.ch_plane[channel].x;
    var t = ray.t0;
    for (var i = 0; i < MAX_CELLS && t < ray.t1; i = i + 1) {
        let cell = locate(ray, advance(t), plane);
        let t_exit = max(cell.t_exit, advance(t));
        if (cell.level >= 0) {
            seen.is_seen = true;
            if (seen.level < 0) { seen.level = cell.level; }
            let run = run_of(ray, cell, t, min(t_exit, ray.t1));
            if ((cell.value & PAGE_CONSTANT) != 0u) {
                if (run.count > 0 && is_shown(cell.range)) {
                    let color = label_color(cell.range);
                    return Seen(vec4<f32>(color, 1.0), run.t, cell.level, true);
                }
            } else {
                for (var j = 0; j < run.count; j = j + 1) {
                    let texel = run.start + f32(j) * run.step;
                    let label = load_label(cell.level, texel);
                    if (is_shown(label)) {
                        let color = label_color(label) * label_shade(ray, cell, texel, label);
                        let hit = run.t + f32(j) * run.dt;
                        return Seen(vec4<f32>(color, 1.0), hit, cell.level, true);
                    }
                }
            }
        }
        t = t_exit;
    }
    seen.color = vec4<f32>(0.0, 0.0, 0.0, 1.0);
    return seen;
}

// Headlight shading from where the same label ends; 1 when shading is off.
fn label_shade(ray: Ray, cell: Cell, texel: vec3<f32>, label: u32) -> f32 {
    if (u_wobject.label_options.z == 0u) { return 1.0; }
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

// Headlight: how much a surface faces the eye, 0.3 at the rim to 1.
fn shade(ray: Ray, gradient: vec3<f32>) -> f32 {
    let normal = u_wobject.normal_x.xyz * gradient.x
        + u_wobject.normal_y.xyz * gradient.y + u_wobject.normal_z.xyz * gradient.z;
    let direction = u_wobject.world_x.xyz * ray.direction.x
        + u_wobject.world_y.xyz * ray.direction.y + u_wobject.world_z.xyz * ray.direction.z;
    let size = length(normal) * length(direction);
    if (size <= 0.0) { return 1.0; }
    return 0.3 + 0.7 * abs(dot(normal, direction)) / size;
}

$$ if not is_integer
$$ if mode in ('mip', 'minip')
$$ set beats = '>' if mode == 'mip' else '<'
$$ for l in range(n_levels)
fn extreme_{{ l }}(run: Run, value: u32, at_start: vec2<f32>) -> vec2<f32> {
    var best = at_start;
    $$ if may_be_nonfinite
    if ((value & PAGE_NONFINITE) != 0u) {
        for (var j = 0; j < run.count; j = j + 1) {
            let v = careful_{{ l }}(run.start + f32(j) * run.step);
            if (!is_nan(v) && v {{ beats }} best.x) { best = vec2<f32>(v, f32(j)); }
        }
        return best;
    }
    $$ endif
    let start = run.start * u_wobject.lv_inverse[{{ l }}].xyz;
    let step = run.step * u_wobject.lv_inverse[{{ l }}].xyz;
    for (var j = 0; j < run.count; j = j + 1) {
        let v = textureSampleLevel(t_level{{ l }}, s_bricks, start + f32(j) * step, 0.0).r;
        if (v {{ beats }} best.x) { best = vec2<f32>(v, f32(j)); }
    }
    return best;
}
$$ endfor

fn cast_channel(ray: Ray, channel: i32) -> Seen {
    var seen = Seen(vec4<f32>(0.0), ray.t0, -1, false);
    let plane = u_wobject.ch_plane[channel].x;
    var best = {{ '-FAR' if mode == 'mip' else 'FAR' }};
    var any = false;
    var t = ray.t0;
    for (var i = 0; i < MAX_CELLS && t < ray.t1; i = i + 1) {
        let cell = locate(ray, advance(t), plane);
        let t_exit = max(cell.t_exit, advance(t));
        if (cell.level >= 0) {
            seen.is_seen = true;
            if (seen.level < 0) { seen.level = cell.level; }
            var run: Run;
            var result = vec2<f32>(best, -1.0);
            if ((cell.value & PAGE_CONSTANT) != 0u) {
                let v = bitcast<f32>(cell.range);
                if (!is_nan(v) && v {{ beats }} best) {
                    run = run_of(ray, cell, t, min(t_exit, ray.t1));
                    if (run.count > 0) { result = vec2<f32>(v, 0.0); }
                }
            } else if (!u_skip() || page_range(cell.range).{{ 'y' if mode == 'mip' else 'x' }} {{ beats }} best) {
                run = run_of(ray, cell, t, min(t_exit, ray.t1));
                switch cell.level {
                    $$ for l in range(n_levels)
                    case {{ l }}: { result = extreme_{{ l }}(run, cell.value, result); }
                    $$ endfor
                    default: {}
                }
            }
            if (result.y >= 0.0) {
                best = result.x;
                any = true;
                seen.t = run.t + result.y * run.dt;
                seen.level = cell.level;
            }
        }
        t = t_exit;
    }
    if (any) { seen.color = lut(normalised(best, channel), channel); }
    else { seen.color = lut(0.0, channel); }
    return seen;
}
$$ endif

$$ if mode == 'average'
$$ for l in range(n_levels)
fn sum_{{ l }}(run: Run, value: u32) -> vec2<f32> {
    var sum = 0.0;
    $$ if may_be_nonfinite
    if ((value & PAGE_NONFINITE) != 0u) {
        var n = 0.0;
        for (var j = 0; j < run.count; j = j + 1) {
            let v = careful_{{ l }}(run.start + f32(j) * run.step);
            if (!is_nan(v)) { sum = sum + v; n = n + 1.0; }
        }
        return vec2<f32>(sum, n);
    }
    $$ endif
    let start = run.start * u_wobject.lv_inverse[{{ l }}].xyz;
    let step = run.step * u_wobject.lv_inverse[{{ l }}].xyz;
    for (var j = 0; j < run.count; j = j + 1) {
        sum = sum + textureSampleLevel(t_level{{ l }}, s_bricks, start + f32(j) * step, 0.0).r;
    }
    return vec2<f32>(sum, f32(max(run.count, 0)));
}
$$ endfor

fn cast_channel(ray: Ray, channel: i32) -> Seen {
    var seen = Seen(vec4<f32>(0.0), ray.t0, -1, false);
    let plane = u_wobject.ch_plane[channel].x;
    var sum = 0.0;
    var weight = 0.0;
    var t = ray.t0;
    for (var i = 0; i < MAX_CELLS && t < ray.t1; i = i + 1) {
        let cell = locate(ray, advance(t), plane);
        let t_exit = max(cell.t_exit, advance(t));
        if (cell.level >= 0) {
            seen.is_seen = true;
            if (seen.level < 0) { seen.level = cell.level; }
            let run = run_of(ray, cell, t, min(t_exit, ray.t1));
            var part = vec2<f32>(0.0);
            if ((cell.value & PAGE_CONSTANT) != 0u) {
                let v = bitcast<f32>(cell.range);
                if (!is_nan(v)) { part = vec2<f32>(v, 1.0) * f32(max(run.count, 0)); }
            } else {
                switch cell.level {
                    $$ for l in range(n_levels)
                    case {{ l }}: { part = sum_{{ l }}(run, cell.value); }
                    $$ endfor
                    default: {}
                }
            }
            sum = sum + part.x * run.dt;
            weight = weight + part.y * run.dt;
        }
        t = t_exit;
    }
    var v = 0.0;
    if (weight > 0.0) { v = normalised(sum / weight, channel); }
    seen.color = lut(v, channel);
    return seen;
}
$$ endif

$$ if mode == 'attenuated_mip'
fn cast_channel(ray: Ray, channel: i32) -> Seen {
    var seen = Seen(vec4<f32>(0.0), ray.t0, -1, false);
    let plane = u_wobject.ch_plane[channel].x;
    let low = u_wobject.ch_window[channel].x;
    var best = 0.0;
    var sum = 0.0;
    var t = ray.t0;
    for (var i = 0; i < MAX_CELLS && t < ray.t1; i = i + 1) {
        let cell = locate(ray, advance(t), plane);
        let t_exit = max(cell.t_exit, advance(t));
        if (cell.level >= 0) {
            seen.is_seen = true;
            if (seen.level < 0) { seen.level = cell.level; }
            let is_constant = (cell.value & PAGE_CONSTANT) != 0u;
            var high = bitcast<f32>(cell.range);
            if (!is_constant) { high = page_range(cell.range).y; }
            // Chunks at or below the window add nothing to the maximum or the sum.
            if (high > low || (!u_skip() && !is_constant)) {
                let run = run_of(ray, cell, t, min(t_exit, ray.t1));
                for (var j = 0; j < run.count; j = j + 1) {
                    var s = high;
                    if (!is_constant) {
                        s = sample_at(cell.level, run.start + f32(j) * run.step, cell.value);
                    }
                    if (is_nan(s)) { continue; }
                    let v = normalised(s, channel);
                    let shown = v * exp(-u_wobject.options.y * sum);
                    if (shown > best) {
                        best = shown;
                        seen.t = run.t + f32(j) * run.dt;
                        seen.level = cell.level;
                    }
                    sum = sum + v * run.dt * ray.length;
                }
            }
            if (exp(-u_wobject.options.y * sum) <= best) { break; }
        }
        t = t_exit;
    }
    seen.color = lut(best, channel);
    return seen;
}
$$ endif

$$ if mode == 'additive'
fn cast_channel(ray: Ray, channel: i32) -> Seen {
    var seen = Seen(vec4<f32>(0.0), ray.t0, -1, false);
    let plane = u_wobject.ch_plane[channel].x;
    let low = u_wobject.ch_window[channel].x;
    let is_dark_below = u_wobject.ch_more[channel].y > 0.0;
    var depth = vec3<f32>(0.0);
    var t = ray.t0;
    for (var i = 0; i < MAX_CELLS && t < ray.t1; i = i + 1) {
        let cell = locate(ray, advance(t), plane);
        let t_exit = max(cell.t_exit, advance(t));
        if (cell.level >= 0) {
            seen.is_seen = true;
            if (seen.level < 0) { seen.level = cell.level; }
            let is_constant = (cell.value & PAGE_CONSTANT) != 0u;
            var high = bitcast<f32>(cell.range);
            if (!is_constant) { high = page_range(cell.range).y; }
            if (high > low || !is_dark_below || (!u_skip() && !is_constant)) {
                let run = run_of(ray, cell, t, min(t_exit, ray.t1));
                for (var j = 0; j < run.count; j = j + 1) {
                    var s = high;
                    if (!is_constant) {
                        s = sample_at(cell.level, run.start + f32(j) * run.step, cell.value);
                    }
                    if (is_nan(s)) { continue; }
                    let color = lut(normalised(s, channel), channel);
                    let kept = max(1.0 - color.rgb * color.a, vec3<f32>(1.0e-6));
                    depth = depth - log(kept) * run.dt * ray.length;
                }
            }
        }
        t = t_exit;
        if (min(depth.x, min(depth.y, depth.z)) > 14.0) { break; }
    }
    seen.color = vec4<f32>(1.0 - exp(-depth), 1.0);
    return seen;
}
$$ endif

$$ if mode == 'iso'
fn surface_color(ray: Ray, cell: Cell, texel: vec3<f32>, channel: i32) -> vec4<f32> {
    let threshold = u_wobject.ch_more[channel].x;
    let color = lut(normalised(threshold, channel), channel);
    var gradient = vec3<f32>(0.0);
    for (var axis = 0; axis < 3; axis = axis + 1) {
        var step = vec3<f32>(0.0);
        step[axis] = 0.5;
        let high = sample_at(cell.level, texel + step, cell.value);
        let low = sample_at(cell.level, texel - step, cell.value);
        gradient[axis] = high - low;
    }
    let lit = shade(ray, gradient * u_wobject.lv_scale[cell.level].xyz);
    return vec4<f32>(color.rgb * lit, color.a);
}

fn cast_channel(ray: Ray, channel: i32) -> Seen {
    var seen = Seen(vec4<f32>(0.0), FAR, -1, false);
    let plane = u_wobject.ch_plane[channel].x;
    let threshold = u_wobject.ch_more[channel].x;
    var has_previous = false;
    var t = ray.t0;
    for (var i = 0; i < MAX_CELLS && t < ray.t1; i = i + 1) {
        let cell = locate(ray, advance(t), plane);
        let t_exit = max(cell.t_exit, advance(t));
        if (cell.level >= 0) {
            seen.is_seen = true;
            if (seen.level < 0) { seen.level = cell.level; }
            let is_constant = (cell.value & PAGE_CONSTANT) != 0u;
            var high = bitcast<f32>(cell.range);
            if (!is_constant) { high = page_range(cell.range).y; }
            let run = run_of(ray, cell, t, min(t_exit, ray.t1));
            if (is_constant && high >= threshold && run.count > 0) {
                let color = lut(normalised(threshold, channel), channel);
                return Seen(color, run.t, cell.level, true);
            }
            if (!is_constant && (high >= threshold || !u_skip())) {
                for (var j = 0; j < run.count; j = j + 1) {
                    let texel = run.start + f32(j) * run.step;
                    if (sample_at(cell.level, texel, cell.value) >= threshold) {
                        // Bisect between this sample and the one before it, which
                        // lies at most a voxel away: inside the border.
                        var back = select(0.0, 1.0, has_previous || j > 0);
                        var near = 0.0;
                        for (var k = 0; k < 6; k = k + 1) {
                            let middle = 0.5 * (back + near);
                            let v = sample_at(cell.level, texel - middle * run.step, cell.value);
                            if (v >= threshold) { near = middle; } else { back = middle; }
                        }
                        let hit = texel - near * run.step;
                        let color = surface_color(ray, cell, hit, channel);
                        return Seen(color, run.t + (f32(j) - near) * run.dt, cell.level, true);
                    }
                }
            }
            has_previous = has_previous || run.count > 0;
        }
        t = t_exit;
    }
    return seen;
}
$$ endif

$$ if mode == 'translucent'
// Channels mix sample by sample: a voxel emits the sum of its channels' colours.
fn cast_all(ray: Ray) -> Seen {
    var seen = Seen(vec4<f32>(0.0), ray.t1, -1, false);
    var color = vec3<f32>(0.0);
    var clear = 1.0;
    var t = ray.t0;
    var cells: array<Cell, {{ n_channels }}>;
    var runs: array<Run, {{ n_channels }}>;
    for (var i = 0; i < MAX_CELLS && t < ray.t1; i = i + 1) {
        var t_exit = ray.t1;
        var finest = -1;
        for (var c = 0; c < {{ n_channels }}; c = c + 1) {
            if (u_wobject.ch_plane[c].y == 0u) { cells[c].level = -1; continue; }
            cells[c] = locate(ray, advance(t), u_wobject.ch_plane[c].x);
            t_exit = min(t_exit, cells[c].t_exit);
        }
        t_exit = max(t_exit, advance(t));
        for (var c = 0; c < {{ n_channels }}; c = c + 1) {
            if (cells[c].level < 0) { continue; }
            seen.is_seen = true;
            if (seen.level < 0) { seen.level = cells[c].level; }
            var high = bitcast<f32>(cells[c].range);
            if ((cells[c].value & PAGE_CONSTANT) == 0u) { high = page_range(cells[c].range).y; }
            if (high <= u_wobject.ch_window[c].x && u_skip()) { cells[c].level = -1; continue; }
            runs[c] = run_of(ray, cells[c], t, min(t_exit, ray.t1));
            if (finest < 0 || cells[c].level < cells[finest].level) { finest = c; }
        }
        if (finest >= 0) {
            let guide = runs[finest];
            for (var j = 0; j < guide.count && clear > 0.002; j = j + 1) {
                var glow = vec3<f32>(0.0);
                var alpha = 0.0;
                let at = guide.t + f32(j) * guide.dt;
                for (var c = 0; c < {{ n_channels }}; c = c + 1) {
                    if (cells[c].level < 0) { continue; }
                    var s = bitcast<f32>(cells[c].range);
                    if ((cells[c].value & PAGE_CONSTANT) == 0u) {
                        let steps = (at - runs[c].t) / runs[c].dt;
                        s = sample_at(cells[c].level, runs[c].start + steps * runs[c].step, cells[c].value);
                    }
                    if (is_nan(s)) { continue; }
                    let v = normalised(s, c);
                    let shown = lut(v, c);
                    let a = min(v * shown.a * u_wobject.ch_window[c].w, 0.9999);
                    glow = glow + shown.rgb * a;
                    alpha = 1.0 - (1.0 - alpha) * (1.0 - a);
                }
                if (alpha > 0.0) {
                    let covered = 1.0 - pow(1.0 - alpha, guide.dt * ray.length);
                    if (clear == 1.0) { seen.t = at; }
                    color = color + clear * covered * min(glow / alpha, vec3<f32>(1.0));
                    clear = clear * (1.0 - covered);
                }
            }
        }
        if (clear <= 0.002) { break; }
        t = t_exit;
    }
    if (clear < 1.0) { seen.color = vec4<f32>(color / (1.0 - clear), 1.0 - clear); }
    return seen;
}
$$ endif
$$ endif
