//! Rows to columns: what is left of a quarter turn after resizing, which takes
//! care of directions.

const SIDE: usize = 8;

/// Writes the transpose of `from`, which has rows of `width` bytes.
pub(super) fn transpose(from: &[u8], width: usize, to: &mut [u8]) {
    let height = from.len() / width;
    for y in (0..height).step_by(SIDE) {
        for x in (0..width).step_by(SIDE) {
            if y + SIDE <= height && x + SIDE <= width {
                block(&from[y * width + x..], width, &mut to[x * height + y..], height);
            } else {
                for y in y..height.min(y + SIDE) {
                    for x in x..width.min(x + SIDE) {
                        to[x * height + y] = from[y * width + x];
                    }
                }
            }
        }
    }
}

/// Transposes 8 by 8 bytes: halves of 4, of 2, and of 1 change places.
fn block(from: &[u8], from_stride: usize, to: &mut [u8], to_stride: usize) {
    let mut rows: [u64; SIDE] = std::array::from_fn(|y| {
        let row = from[y * from_stride..].first_chunk().expect("the block is inside");
        u64::from_le_bytes(*row)
    });
    for (half, low) in
        [(4, 0x0000_0000_FFFF_FFFF), (2, 0x0000_FFFF_0000_FFFF), (1, 0x00FF_00FF_00FF_00FFu64)]
    {
        let bits = 8 * half;
        for y in (0..SIDE).filter(|y| y & half == 0) {
            let (a, b) = (rows[y], rows[y + half]);
            rows[y] = (a & low) | ((b & low) << bits);
            rows[y + half] = ((a >> bits) & low) | (b & !low);
        }
    }
    for (x, row) in rows.iter().enumerate() {
        to[x * to_stride..][..SIDE].copy_from_slice(&row.to_le_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_lands_where_it_belongs() {
        for (width, height) in [(1, 1), (8, 8), (16, 8), (7, 9), (24, 33), (1, 40), (40, 1)] {
            let from: Vec<u8> = (0..width * height).map(|i| (i * 7 + i / 251) as u8).collect();
            let mut to = vec![0; from.len()];
            transpose(&from, width, &mut to);
            for (y, x) in (0..height).flat_map(|y| (0..width).map(move |x| (y, x))) {
                assert_eq!(to[x * height + y], from[y * width + x], "{width}x{height}: {x}, {y}");
            }
        }
    }
}
