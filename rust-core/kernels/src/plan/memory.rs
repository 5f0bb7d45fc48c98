//! Static memory: where every buffer is in the arena, and for how long.
//!
//! Decides offsets by first fit over lifetimes counted in chains. The arena
//! starts with rows of padding, which stand for all rows above and below a
//! tensor and are never written in a run.

use super::chain::{Chain, rings};
use super::layout::Layout;
use super::method::Method;
use crate::error::Error;
use crate::graph::{Conv, Graph, Op};
use crate::winograd::{PRODUCTS, matrix_stride, tile_of};

/// Units that a vector may read past the last channel of the last pixel.
const SLACK: usize = 64;
/// Units that buffers are aligned to.
const ALIGN: usize = 16;
/// Bytes of transformed tiles that a Winograd call works on: least and most.
/// Each call reads all transformed weights, so that layers with large ones
/// take large blocks, up to about a level 2 cache.
const WINOGRAD_BLOCK: [usize; 2] =
    if cfg!(target_arch = "aarch64") { [192 << 10, 384 << 10] } else { [192 << 10, 1280 << 10] };

/// What a plan asks of its memory.
pub(crate) struct Need {
    /// Channels are rounded up to a multiple of this.
    pub lanes: usize,
    /// Bytes of a unit.
    pub unit: usize,
    /// Most bytes.
    pub limit: usize,
    /// Rows of padding.
    pub border_rows: usize,
    /// Whether every tensor stays until the end.
    pub keep: bool,
}

/// Where scratch memory is, and how much there is of all.
#[derive(Debug)]
pub(crate) struct Arena {
    /// Offset of the first row of padding.
    pub border: usize,
    /// Units from one row of padding to the next.
    pub border_row: usize,
    /// Units in all.
    pub units: usize,
    /// Per chain: the two areas of a Winograd block.
    pub scratch: Vec<(usize, usize)>,
}

/// Tile rows, tiles in a row, and tile rows a block of a Winograd layer.
pub(super) fn winograd_block(c: &Conv, x: &Layout, out: &Layout, lanes: usize) -> [usize; 3] {
    let tile = tile_of(c.kernel[0]);
    let (rows, tiles) = (out.shape.h.div_ceil(tile), out.shape.w.div_ceil(tile));
    let floats = x.shape.c.next_multiple_of(lanes) + out.shape.c.next_multiple_of(lanes);
    let weights = 4 * PRODUCTS * x.shape.c * out.shape.c.next_multiple_of(lanes);
    let bytes = (weights / 2).clamp(WINOGRAD_BLOCK[0], WINOGRAD_BLOCK[1]);
    let fit = (bytes / (4 * PRODUCTS * tiles * floats)).clamp(1, rows);
    [rows, tiles, rows.div_ceil(rows.div_ceil(fit))]
}

fn scratch(g: &Graph, layouts: &[Layout], node: usize, lanes: usize) -> [usize; 2] {
    let node = &g.nodes[node];
    let Op::Conv(c) = &node.op else { return [0; 2] };
    let (x, out) = (&layouts[c.x.0], &layouts[node.out.0]);
    let [_, tiles, block] = winograd_block(c, x, out, lanes);
    let floats = |c: usize| PRODUCTS * matrix_stride(tiles * block, c.next_multiple_of(lanes));
    [floats(x.shape.c), floats(out.shape.c)]
}

/// First fit among the buffers that are alive.
#[derive(Default)]
struct Heap {
    /// Offset, length and last chain, by offset.
    live: Vec<(usize, usize, usize)>,
    floor: usize,
    top: usize,
}

impl Heap {
    fn place(&mut self, units: usize, last: usize) -> Option<usize> {
        let n = units.checked_add(2 * ALIGN - 1)? / ALIGN * ALIGN;
        let (mut at, mut index) = (self.floor, 0);
        for (i, &(off, len, _)) in self.live.iter().enumerate() {
            if at.checked_add(n)? <= off {
                break;
            }
            at = at.max(off + len);
            index = i + 1;
        }
        let end = at.checked_add(n).filter(|&e| e <= u32::MAX as usize - SLACK)?;
        self.live.insert(index, (at, n, last));
        self.top = self.top.max(end);
        Some(at)
    }
}

/// Gives rings and addresses to all layouts.
pub(crate) fn place(
    g: &Graph,
    methods: &[Method],
    layouts: &mut [Layout],
    chains: &[Chain],
    need: &Need,
) -> Result<Arena, Error> {
    for chain in chains.iter().filter(|c| c.nodes.len() > 1) {
        let rings = rings(g, layouts, &chain.nodes, chain.strip);
        for (&node, ring) in chain.nodes.iter().zip(rings) {
            layouts[g.nodes[node].out.0].ring = ring;
        }
    }
    let longest = layouts.iter().map(|l| l.row).max().unwrap_or(0);
    let border_row = longest.next_multiple_of(ALIGN) + SLACK;
    let limit = need.limit;
    let too_large = || Error::limit(format!("activations need more than {limit} bytes"));
    let floor = border_row.checked_mul(need.border_rows).ok_or_else(too_large)?;
    let mut heap = Heap { floor, top: floor, ..Heap::default() };

    // chains in which each buffer is first written and last read
    let n = layouts.len();
    let (mut first, mut last) = (vec![usize::MAX; n], vec![0; n]);
    first[layouts[0].root] = 0;
    for (i, chain) in chains.iter().enumerate() {
        for &node in &chain.nodes {
            let node = &g.nodes[node];
            for v in node.op.inputs() {
                last[layouts[v.0].root] = i;
            }
            let out = layouts[node.out.0].root;
            first[out] = first[out].min(i);
            last[out] = last[out].max(i);
        }
    }
    if need.keep {
        last.fill(chains.len());
    }
    if let Some(out) = g.output {
        last[layouts[out.0].root] = chains.len();
    }
    let mut born: Vec<Vec<usize>> = vec![Vec::new(); chains.len()];
    for (v, &i) in first.iter().enumerate() {
        if i != usize::MAX {
            born[i].push(v);
        }
    }
    let mut areas = Vec::with_capacity(chains.len());
    for (i, chain) in chains.iter().enumerate() {
        heap.live.retain(|&(.., last)| last >= i);
        for &v in &born[i] {
            let units = layouts[v].len().ok_or_else(too_large)?;
            layouts[v].off = heap.place(units, last[v]).ok_or_else(too_large)?;
        }
        let mut area = (0, 0);
        if let &[node] = &chain.nodes[..]
            && methods[node] == Method::Winograd
        {
            let [a, b] = scratch(g, layouts, node, need.lanes);
            area.0 = heap.place(a, i).ok_or_else(too_large)?;
            area.1 = heap.place(b, i).ok_or_else(too_large)?;
        }
        areas.push(area);
        if heap.top > limit / need.unit {
            return Err(too_large());
        }
    }
    for v in 0..n {
        layouts[v].off = layouts[layouts[v].root].off;
    }
    Ok(Arena { border: 0, border_row, units: heap.top + SLACK, scratch: areas })
}
