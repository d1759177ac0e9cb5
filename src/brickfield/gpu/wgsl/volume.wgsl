// The ray caster of brickfield: one pass draws all channels of one layer.

{$ include 'pygfx.std.wgsl' $}

$$ if has_behind
@group(1) @binding(0) var t_objects: texture_depth_2d;
@group(1) @binding(1) var t_depth: texture_depth_2d;
@group(1) @binding(2) var t_behind: texture_2d<f32>;
$$ endif

const MAX_CELLS: i32 = 16384;

fn u_skip() -> bool { return u_wobject.options.w == 0.0; }

// Also while skipping is off: samples then begin at the same places, and the
// pictures with and without it are equal to the bit. An average skips nothing.
fn u_split() -> bool { return {{ 'false' if mode == 'average' else 'true' }}; }

{$ include 'brickfield.pages.wgsl' $}
{$ include 'brickfield.samples.wgsl' $}
{$ include 'brickfield.modes.wgsl' $}

struct VertexInput {
    @builtin(vertex_index) index: u32,
};

@vertex
fn vs_main(in: VertexInput) -> Varyings {
    // Two triangles cover the rows to be drawn; rays that miss the volume end at once.
    let corner = array<u32, 6>(0u, 1u, 2u, 2u, 1u, 3u)[in.index];
    let height = u_stdinfo.physical_size.y;
    let row = clamp(select(u_wobject.rows.x, u_wobject.rows.y, corner > 1u), 0.0, height);
    let x = f32(corner & 1u) * 2.0 - 1.0;
    var varyings: Varyings;
    varyings.position = vec4<f32>(x, 1.0 - 2.0 * row / height, 0.0, 1.0);
    return varyings;
}

// Counted from the pixel itself, so that it does not depend on which rows are drawn.
fn ndc_of(pixel: vec2<f32>) -> vec2<f32> {
    let size = u_stdinfo.physical_size;
    return (2.0 * pixel - size) / size * vec2<f32>(1.0, -1.0);
}

fn ray_through(ndc: vec2<f32>) -> Ray {
    var ray: Ray;
    let origin = u_wobject.ray_o0.xyz + ndc.x * u_wobject.ray_ox.xyz + ndc.y * u_wobject.ray_oy.xyz;
    let sight = u_wobject.ray_d0.xyz + ndc.x * u_wobject.ray_dx.xyz + ndc.y * u_wobject.ray_dy.xyz;
    let size = abs(sight);
    let rate = max(size.x, max(size.y, size.z));
    ray.origin = origin;
    ray.direction = sight / rate;
    ray.view_depth = 1.0 / rate;
    let world = u_wobject.world_x.xyz * ray.direction.x
        + u_wobject.world_y.xyz * ray.direction.y + u_wobject.world_z.xyz * ray.direction.z;
    ray.length = length(world) * u_wobject.depth.w;
    ray.t0 = u_wobject.depth.x * rate;
    ray.t1 = u_wobject.depth.y * rate;

    let low = u_wobject.box_low.xyz - origin;
    let high = u_wobject.box_high.xyz - origin;
    for (var a = 0; a < 3; a = a + 1) {
        let d = ray.direction[a];
        if (abs(d) > 1.0e-12) {
            ray.t0 = max(ray.t0, min(low[a] / d, high[a] / d));
            ray.t1 = min(ray.t1, max(low[a] / d, high[a] / d));
        } else if (low[a] > 0.0 || high[a] < 0.0) {
            ray.t1 = -FAR;
        }
    }
    for (var i = 0u; i < u_wobject.counts.z; i = i + 1u) {
        let plane = u_wobject.clip[i];
        let slope = dot(plane.xyz, ray.direction);
        let height = dot(plane.xyz, origin) + plane.w;
        if (slope > 0.0) { ray.t0 = max(ray.t0, -height / slope); }
        else if (slope < 0.0) { ray.t1 = min(ray.t1, -height / slope); }
        else if (height < 0.0) { ray.t1 = -FAR; }
    }
    $$ if mode == 'slice'
    meet_plane(&ray, ndc);
    $$ endif
    return ray;
}

$$ if mode == 'slice'
fn meet_plane(ray: ptr<function, Ray>, ndc: vec2<f32>) {
    let plane = u_wobject.slice;
    let slope = dot(plane.xyz, (*ray).direction);
    let height = dot(plane.xyz, (*ray).origin) + plane.w;
    (*ray).t = FAR;
    if (slope == 0.0) { return; }
    (*ray).t = -height / slope;
    (*ray).spot = (*ray).origin + (*ray).t * (*ray).direction;
    if (u_wobject.depth.z > 0.0) {
        // Parallel rays: the way from far away would cost digits.
        (*ray).spot = u_wobject.slice_o.xyz + ndc.x * u_wobject.slice_x.xyz + ndc.y * u_wobject.slice_y.xyz;
    }
    // Across an axis of the data all rays meet the same coordinate, exactly.
    let axis = vec3<f32>(0.0, 1.0, 2.0) == vec3<f32>(u_wobject.slice_at.y);
    (*ray).spot = select((*ray).spot, vec3<f32>(u_wobject.slice_at.x), axis);
}

// Whether the plane is seen here: in the data, not clipped, nothing opaque before it.
fn is_on_plane(ray: Ray) -> bool {
    let slack = 1.0e-3 + abs(ray.t) * 1.0e-6;
    return ray.t >= ray.t0 - slack && ray.t <= ray.t1 + slack;
}
$$ endif

fn depth_at(ray: Ray, t: f32) -> f32 {
    let z = t * ray.view_depth;
    let near = u_wobject.depth.x;
    let far = u_wobject.depth.y;
    if (u_wobject.depth.z > 0.0) { return clamp((z - near) / (far - near), 0.0, 1.0); }
    return clamp(far / (far - near) * (1.0 - near / max(z, near)), 0.0, 1.0);
}

$$ if has_behind
fn t_at(ray: Ray, depth: f32) -> f32 {
    let near = u_wobject.depth.x;
    let far = u_wobject.depth.y;
    var z = near + depth * (far - near);
    if (u_wobject.depth.z == 0.0) { z = near * far / (far - depth * (far - near)); }
    return select(z / ray.view_depth, FAR, depth >= 1.0);
}

// Opaque objects drawn before end the ray.
fn stop_at_objects(ray: Ray, at: vec2<i32>) -> f32 {
    if (u_wobject.blend.w == 0u) { return ray.t1; }
    return min(ray.t1, t_at(ray, textureLoad(t_objects, at, 0)));
}
$$ endif

// Kinds of blending, in the order of the appearance's names.
const OPAQUE: u32 = 0u;
const TRANSLUCENT: u32 = 1u;
const ADDITIVE: u32 = 3u;
const MINIMUM: u32 = 4u;
const MULTIPLICATIVE: u32 = 5u;

// Colours as displayed values, not as light. The lowest layer has nothing to be
// combined with: it lies over the background, or replaces it.
fn laid_over(behind: vec3<f32>, color: vec4<f32>, is_lowest: bool) -> vec3<f32> {
    let kind = u_wobject.blend.x;
    let over = mix(behind, color.rgb, color.a);
    if (is_lowest) {
        if (kind == ADDITIVE) { return color.rgb * color.a; }
        return select(over, color.rgb, kind == MINIMUM);
    }
    switch kind {
        case OPAQUE: { return color.rgb; }
        case ADDITIVE: { return min(behind + color.rgb * color.a, vec3<f32>(1.0)); }
        case MINIMUM: { return min(behind, color.rgb); }
        case MULTIPLICATIVE: { return behind * color.rgb; }
        default: { return over; }
    }
}

// A projection has no front that could hide an object: what ended the ray is one more
// thing on it, and combined as the projection combines samples.
$$ set is_projection = mode in ('mip', 'minip', 'average', 'attenuated_mip', 'additive') and not is_integer
$$ if is_projection
fn laid_over_object(object: vec3<f32>, color: vec4<f32>, is_lowest: bool) -> vec3<f32> {
    let kind = u_wobject.blend.x;
    if (kind == ADDITIVE || kind == MINIMUM || kind == MULTIPLICATIVE) {
        return laid_over(object, color, is_lowest);
    }
    $$ if mode == 'minip'
    let both = min(object, color.rgb);
    $$ elif mode == 'additive'
    let both = 1.0 - (1.0 - object) * (1.0 - color.rgb);
    $$ else
    let both = max(object, color.rgb);
    $$ endif
    return mix(object, both, color.a);
}
$$ endif

fn class_of(cell: Cell) -> f32 {
    if (cell.is_failed) { return 4.0; }
    if (cell.level < 0) { return 3.0; }
    return select(1.0, 2.0, (cell.value & PAGE_TARGET) == 0u);
}

// Classes of the receipt: 0 no volume, 1 at target, 2 coarser, 3 nothing loaded, 4 failed.
fn audit(ray: Ray) -> f32 {
    var worst = 0.0;
    for (var c = 0; c < {{ n_channels }}; c = c + 1) {
        if (u_wobject.ch_plane[c].y == 0u) { continue; }
        $$ if mode == 'slice'
        let there = cell_on_plane(ray, u_wobject.ch_plane[c].x);
        if (!there.is_void) { worst = max(worst, class_of(there)); }
        $$ else
        var cell = first_cell(ray);
        for (var i = 0; i < MAX_CELLS && cell.t_exit < ray.t1; i = i + 1) {
            // From the top, to meet what failed on the way down.
            cell.hint = top_level();
            cell = step_on(ray, cell, u_wobject.ch_plane[c].x);
            // Slivers that hold no sample cannot be seen.
            let is_seen = !cell.is_void && cell.t_exit - cell.t_enter > 0.01;
            if (is_seen) { worst = max(worst, class_of(cell)); }
        }
        $$ endif
    }
    return worst;
}

fn level_color(level: i32) -> vec3<f32> {
    // Okabe and Ito's colours, safe for colour-blind eyes.
    let colors = array<vec3<f32>, 8>(
        vec3<f32>(0.90, 0.62, 0.00), vec3<f32>(0.34, 0.71, 0.91),
        vec3<f32>(0.00, 0.62, 0.45), vec3<f32>(0.94, 0.89, 0.26),
        vec3<f32>(0.00, 0.45, 0.70), vec3<f32>(0.84, 0.37, 0.00),
        vec3<f32>(0.80, 0.47, 0.65), vec3<f32>(0.60, 0.60, 0.60)
    );
    return colors[level % 8];
}

$$ if is_by_depth
// Colour tells the depth, from yellow near the eye to blue at the far end of the box;
// brightness goes on telling the value.
fn colored_by_depth(color: vec4<f32>, z: f32) -> vec4<f32> {
    let colors = array<vec3<f32>, 5>(
        vec3<f32>(1.00, 0.93, 0.50), vec3<f32>(0.98, 0.58, 0.25),
        vec3<f32>(0.87, 0.31, 0.45), vec3<f32>(0.52, 0.28, 0.70),
        vec3<f32>(0.22, 0.40, 0.85)
    );
    let range = u_wobject.depth_range;
    let at = 4.0 * clamp((z - range.x) * range.y, 0.0, 1.0);
    let i = min(i32(at), 3);
    let bright = max(color.r, max(color.g, color.b));
    return vec4<f32>(bright * mix(colors[i], colors[i + 1], at - f32(i)), color.a);
}
$$ endif

fn look(ray: Ray) -> Seen {
    $$ if is_integer
    var seen = cast_labels(ray, 0);
    seen.color.a = seen.color.a * u_wobject.ch_window[0].w;
    return seen;
    $$ elif mode == 'translucent'
    return cast_all(ray);
    $$ else
    var all = Seen(vec4<f32>(0.0), ray.t0, -1, false);
    var nearest = FAR;
    var strongest = -1.0;
    for (var c = 0; c < {{ n_channels }}; c = c + 1) {
        if (u_wobject.ch_plane[c].y == 0u) { continue; }
        let one = cast_channel(ray, c);
        let opacity = u_wobject.ch_window[c].w;
        if (one.is_seen && all.level < 0) { all.level = one.level; }
        all.is_seen = all.is_seen || one.is_seen;
        $$ if mode == 'iso'
        if (one.is_seen && one.t < nearest) {
            nearest = one.t;
            all = Seen(vec4<f32>(one.color.rgb, one.color.a * opacity), one.t, one.level, true);
        }
        $$ else
        if (one.is_seen) {
            $$ if n_channels == 1
            all = Seen(vec4<f32>(one.color.rgb, one.color.a * opacity), one.t, one.level, true);
            $$ else
            let weight = one.color.a * opacity;
            let bright = max(one.color.r, max(one.color.g, one.color.b)) * weight;
            all.color = vec4<f32>(
                min(all.color.rgb + one.color.rgb * weight, vec3<f32>(1.0)), max(all.color.a, weight)
            );
            if (bright > strongest) { strongest = bright; all.t = one.t; all.level = one.level; }
            $$ endif
        }
        $$ endif
    }
    return all;
    $$ endif
}

@fragment
fn fs_main(varyings: Varyings) -> FragmentOutput {
    var ray = ray_through(ndc_of(varyings.position.xy));
    $$ if has_behind
    let at = vec2<i32>(floor(varyings.position.xy));
    ray.t1 = stop_at_objects(ray, at);
    let behind = textureLoad(t_behind, at, 0).rgb;
    $$ endif
    if (ray.t0 >= ray.t1) { discard; }
    $$ if mode == 'slice'
    if (!is_on_plane(ray)) { discard; }
    $$ endif

    var out: FragmentOutput;
    if (u_wobject.options.z == 1.0) {
        $$ if has_feedback
        // What lies behind the end of the ray is no part of the picture.
        if (look(ray).is_seen) { ray.t1 = min(ray.t1, p_end); }
        $$ endif
        var worst = audit(ray) / 255.0;
        if (worst == 0.0) { discard; }
        $$ if has_behind
        worst = max(worst, behind.r);
        $$ endif
        out.color = vec4<f32>(srgb2physical(vec3<f32>(worst)), 1.0);
        out.depth = depth_at(ray, ray.t0);
        return out;
    }
    let seen = look(ray);
    if (!seen.is_seen) { discard; }
    var color = seen.color;
    $$ if is_by_depth
    color = colored_by_depth(color, seen.t * ray.view_depth);
    $$ endif
    if (u_wobject.options.z == 2.0 && seen.level >= 0) {
        let bright = max(color.r, max(color.g, color.b));
        color = vec4<f32>(level_color(seen.level) * (0.25 + 0.75 * bright), color.a);
    }
    if (color.a <= 0.0) { discard; }
    let t = min(seen.t, ray.t1);
    let has_place = u_wobject.blend.x == OPAQUE || u_wobject.blend.x == TRANSLUCENT;
    $$ if has_behind
    let before = textureLoad(t_depth, at, 0);
    // Places that are the same but for rounding do not hide each other.
    if (u_wobject.blend.z != 0u && t > t_at(ray, before) + 0.05) { discard; }
    let is_on_object = u_wobject.blend.w != 0u && textureLoad(t_objects, at, 0) < 1.0;
    let is_lowest = u_wobject.blend.y != 0u && !is_on_object;
    var laid = laid_over(behind, color, is_lowest);
    $$ if is_projection
    if (is_on_object) { laid = laid_over_object(behind, color, is_lowest); }
    $$ endif
    color = vec4<f32>(laid, 1.0);
    out.depth = select(before, depth_at(ray, t), has_place);
    $$ else
    if (u_wobject.background.w > 0.0) {
        color = vec4<f32>(laid_over(u_wobject.background.xyz, color, true), 1.0);
    }
    out.depth = select(1.0, depth_at(ray, t), has_place);
    $$ endif
    out.color = vec4<f32>(srgb2physical(color.rgb), color.a);
    $$ if write_pick
    let bits = bitcast<u32>(seen.t * ray.view_depth);
    out.pick = (
        pick_pack(u32(u_wobject.global_id), 20)
        + pick_pack(bits & 0xffffu, 16)
        + pick_pack(bits >> 16u, 16)
        + pick_pack(u32(max(seen.level, 0)), 4)
    );
    $$ endif
    return out;
}
