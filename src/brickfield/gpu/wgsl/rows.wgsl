// Puts rows of a page table in their places: five words each, the place and the row.

@group(0) @binding(0) var<storage, read> s_sent: array<u32>;
@group(0) @binding(1) var<storage, read_write> s_rows: array<vec4<u32>>;

@compute @workgroup_size(64)
fn place_rows(@builtin(global_invocation_id) id: vec3<u32>) {
    // The first five words say how many there are.
    if (id.x >= s_sent[0]) { return; }
    let at = 5u * (id.x + 1u);
    s_rows[s_sent[at]] = vec4<u32>(
        s_sent[at + 1u], s_sent[at + 2u], s_sent[at + 3u], s_sent[at + 4u]
    );
}
