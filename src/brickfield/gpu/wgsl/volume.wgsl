// The ray caster of brickfield: one pass draws all channels of one layer.

{$ include 'pygfx.std.wgsl' $}

$$ if has_depth
@group(1) @binding(0)
var t_depth: texture_depth_2d;
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
    // One triangle covers the picture; rays that miss the volume end at once.
    let corner = vec2<f32>(f32(in.index & 1u) * 4.0 - 1.0, f32(in.index >> 1u) * 4.0 - 1.0);
    var varyings: Varyings;
    varyings.ndc = vec2<f32>(corner);
    varyings.position = vec4<f32>(corner, 0.0, 1.0);
    return varyings;
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

$$ if has_depth
// Opaque objects drawn before end the ray.
fn stop_at_objects(ray: Ray, position: vec2<f32>) -> f32 {
    let d = textureLoad(t_depth, vec2<i32>(floor(position)), 0);
    if (d >= 1.0) { return ray.t1; }
    let near = u_wobject.depth.x;
    let far = u_wobject.depth.y;
    var z = near + d * (far - near);
    if (u_wobject.depth.z == 0.0) { z = near * far / (far - d * (far - near)); }
    return min(ray.t1, z / ray.view_depth);
}
$$ endif

fn class_of(cell: Cell) -> f32 {
    if (cell.is_failed) { return 4.0; }
    if (cell.level < 0) { return 3.0; }
    return select(1.0, 2.0, (cell.value & PAGE_TARGET) == 0u);
}

// Classes of the receipt: 1 at target, 2 coarser, 3 nothing loaded, 4 failed.
fn audit(ray: Ray) -> f32 {
    var worst = 1.0;
    for (var c = 0; c < {{ n_channels }}; c = c + 1) {
        if (u_wobject.ch_plane[c].y == 0u) { continue; }
        $$ if mode == 'slice'
        worst = max(worst, class_of(cell_on_plane(ray, u_wobject.ch_plane[c].x)));
        $$ else
        var cell = first_cell(ray);
        for (var i = 0; i < MAX_CELLS && cell.t_exit < ray.t1; i = i + 1) {
            // From the top, to meet what failed on the way down.
            cell.hint = top_level();
            cell = step_on(ray, cell, u_wobject.ch_plane[c].x);
            // Slivers that hold no sample cannot be seen.
            if (cell.t_exit - cell.t_enter > 0.01) { worst = max(worst, class_of(cell)); }
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

fn look(ray: Ray) -> Seen {
    $$ if is_integer
    return cast_labels(ray, 0);
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
    var ray = ray_through(varyings.ndc);
    $$ if has_depth
    ray.t1 = stop_at_objects(ray, varyings.position.xy);
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
        out.color = vec4<f32>(srgb2physical(vec3<f32>(audit(ray) / 255.0)), 1.0);
        out.depth = depth_at(ray, ray.t0);
        return out;
    }
    let seen = look(ray);
    if (!seen.is_seen) { discard; }
    var color = seen.color;
    if (u_wobject.options.z == 2.0 && seen.level >= 0) {
        let bright = max(color.r, max(color.g, color.b));
        color = vec4<f32>(level_color(seen.level) * (0.25 + 0.75 * bright), color.a);
    }
    $$ if not is_integer
    if (color.a <= 0.0) { discard; }
    $$ endif
    if (u_wobject.background.w > 0.0) {
        // Laid over the background as displayed values, not as light.
        color = vec4<f32>(mix(u_wobject.background.xyz, color.rgb, color.a), 1.0);
    }
    out.color = vec4<f32>(srgb2physical(color.rgb), color.a);
    out.depth = depth_at(ray, min(seen.t, ray.t1));
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
