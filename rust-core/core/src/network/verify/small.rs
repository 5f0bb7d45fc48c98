//! Arithmetic on small constants.
//!
//! Decides the values of the little shape computations that exporters leave
//! in a graph (`Shape`, `Gather`, `Concat`, `Mul`, ...), so that every shape is
//! a number before tract sees the graph. It does not fold weights: constants
//! of more than [`SMALL`] elements stay with tract. Called by the operators.

/// Most elements of a constant whose numbers the guard reads and computes.
pub(super) const SMALL: usize = 1024;

/// The numbers of a small constant in row-major order; booleans are 0 and 1.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Small {
    Ints(Vec<i64>),
    Floats(Vec<f32>),
}

impl Small {
    pub(super) fn len(&self) -> usize {
        match self {
            Small::Ints(values) => values.len(),
            Small::Floats(values) => values.len(),
        }
    }

    pub(super) fn ints(&self) -> Option<&[i64]> {
        match self {
            Small::Ints(values) => Some(values),
            Small::Floats(_) => None,
        }
    }

    pub(super) fn floats(&self) -> Option<&[f32]> {
        match self {
            Small::Floats(values) => Some(values),
            Small::Ints(_) => None,
        }
    }

    /// The elements at `positions`, each of which must be in range.
    pub(super) fn pick(&self, positions: impl Iterator<Item = usize>) -> Small {
        match self {
            Small::Ints(values) => Small::Ints(positions.map(|i| values[i]).collect()),
            Small::Floats(values) => Small::Floats(positions.map(|i| values[i]).collect()),
        }
    }
}

/// For each element of `shape` in row-major order, the position of the
/// element of `from` that broadcasting pairs with it. `from` must broadcast to
/// `shape`.
pub(super) fn broadcast_positions<'a>(
    from: &'a [usize],
    shape: &'a [usize],
) -> impl Iterator<Item = usize> + 'a {
    let total: usize = shape.iter().product();
    (0..total).map(move |flat| {
        let (mut rest, mut position, mut stride) = (flat, 0, 1);
        for (back, &dim) in shape.iter().rev().enumerate() {
            let index = rest % dim;
            rest /= dim;
            if back < from.len() {
                let own = from[from.len() - 1 - back];
                position += if own == 1 { 0 } else { index * stride };
                stride *= own;
            }
        }
        position
    })
}

/// Element-wise `op` on two constants of equal length; nothing for a mixture of
/// types, an overflow, a division by zero or an operator not computed here.
pub(super) fn binary(op: &str, left: &Small, right: &Small) -> Option<Small> {
    match (left, right) {
        (Small::Ints(a), Small::Ints(b)) => {
            let apply = |(&a, &b): (&i64, &i64)| match op {
                "Add" => a.checked_add(b),
                "Sub" => a.checked_sub(b),
                "Mul" => a.checked_mul(b),
                "Div" => a.checked_div(b),
                "Min" => Some(a.min(b)),
                "Max" => Some(a.max(b)),
                "Equal" => Some(i64::from(a == b)),
                _ => None,
            };
            a.iter().zip(b).map(apply).collect::<Option<_>>().map(Small::Ints)
        }
        (Small::Floats(a), Small::Floats(b)) => {
            let apply: fn(f32, f32) -> f32 = match op {
                "Add" => |a, b| a + b,
                "Sub" => |a, b| a - b,
                "Mul" => |a, b| a * b,
                "Div" => |a, b| a / b,
                _ => return None,
            };
            Some(Small::Floats(a.iter().zip(b).map(|(&a, &b)| apply(a, b)).collect()))
        }
        _ => None,
    }
}

/// Element-wise `op` on one constant.
pub(super) fn unary(op: &str, value: &Small) -> Option<Small> {
    match value {
        Small::Ints(values) => {
            let apply: fn(i64) -> Option<i64> = match op {
                "Neg" => i64::checked_neg,
                "Abs" => i64::checked_abs,
                "Not" => |value| Some(i64::from(value == 0)),
                _ => return None,
            };
            values.iter().map(|&value| apply(value)).collect::<Option<_>>().map(Small::Ints)
        }
        Small::Floats(values) => {
            let apply: fn(f32) -> f32 = match op {
                "Neg" => |value| -value,
                "Abs" => f32::abs,
                "Floor" => f32::floor,
                "Ceil" => f32::ceil,
                _ => return None,
            };
            Some(Small::Floats(values.iter().map(|&value| apply(value)).collect()))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn broadcasting_pairs_as_numpy_does() {
        let rows: Vec<usize> = broadcast_positions(&[2, 1], &[2, 3]).collect();
        assert_eq!(rows, [0, 0, 0, 1, 1, 1]);
        let columns: Vec<usize> = broadcast_positions(&[3], &[2, 3]).collect();
        assert_eq!(columns, [0, 1, 2, 0, 1, 2]);
        assert_eq!(broadcast_positions(&[], &[2]).collect::<Vec<_>>(), [0, 0]);
    }

    #[test]
    fn impossible_integers_are_nothing() {
        let one = |value| Small::Ints(vec![value]);
        assert_eq!(binary("Div", &one(1), &one(0)), None);
        assert_eq!(binary("Div", &one(i64::MIN), &one(-1)), None);
        assert_eq!(binary("Mul", &one(i64::MAX), &one(2)), None);
        assert_eq!(unary("Neg", &one(i64::MIN)), None);
        assert_eq!(binary("Mul", &one(6), &one(7)), Some(one(42)));
    }
}
