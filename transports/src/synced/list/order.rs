//! How the items of a list come into another order.

use crate::changes::Changes;
use crate::path::At;

/// Brings items into the order `wanted` (old ranks in new order): by moves, or by one op that lists all positions where
/// there would be many moves. `start` items stand in front and `behind` after them.
pub(crate) fn reorder(
    wanted: &[usize],
    start: usize,
    behind: usize,
    at: &At<'_>,
    out: &mut Changes,
) {
    if wanted.is_sorted() {
        return;
    }
    let staying = longest_increasing(wanted);
    let moving = wanted.len() - staying.iter().filter(|stays| **stays).count();
    // A move is as long as some eight positions, and costs a look at all other moves here.
    let len = start + wanted.len() + behind;
    if moving > (len / 8).clamp(1, 512) {
        let order: Vec<_> = (0..start)
            .chain(wanted.iter().map(|rank| start + rank))
            .chain(len - behind..len)
            .collect();
        out.reorder(at, &order);
        return;
    }
    let items = || wanted.iter().copied().zip(&staying).enumerate();
    let mut movers: Vec<usize> = items()
        .filter_map(|(_, (rank, stays))| (!stays).then_some(rank))
        .collect();
    movers.sort_unstable();
    // Movers that have moved, by where they were, each with the last item that stays in front of it. A mover that has
    // yet to move is behind such an item if it was so at first, and then behind all that was put there.
    let mut moved: Vec<(usize, Option<usize>)> = Vec::with_capacity(moving);
    let mut anchor = None;
    for (place, (rank, stays)) in items() {
        if *stays {
            anchor = Some(rank);
            continue;
        }
        let gone = moved.iter().filter(|(other, _)| *other < rank).count();
        let come = moved.iter().filter(|(_, anchor)| *anchor < Some(rank));
        let from = rank - gone + come.count();
        let in_front = anchor.map_or(0, |anchor| {
            let all = movers.partition_point(|other| *other < anchor);
            let gone = moved.iter().filter(|(other, _)| *other < anchor).count();
            all - gone - usize::from(rank < anchor)
        });
        let to = place + in_front;
        if from != to {
            out.move_item(at, start + from, start + to);
        }
        moved.push((rank, anchor));
    }
}

/// Marks the members of a longest increasing subsequence.
fn longest_increasing(ranks: &[usize]) -> Vec<bool> {
    // `tails[n]` is the position of the smallest last member of a subsequence of n + 1.
    let mut tails: Vec<usize> = Vec::new();
    let mut previous = vec![None; ranks.len()];
    let value = |position: usize| ranks.get(position).copied().unwrap_or(usize::MAX);
    for (position, (rank, previous)) in ranks.iter().zip(&mut previous).enumerate() {
        let place = match tails.last() {
            // Most ranks ascend where little was moved.
            Some(&tail) if value(tail) < *rank => tails.len(),
            _ => tails.partition_point(|&tail| value(tail) < *rank),
        };
        *previous = place
            .checked_sub(1)
            .and_then(|last| tails.get(last).copied());
        match tails.get_mut(place) {
            Some(tail) => *tail = position,
            None => tails.push(position),
        }
    }
    let mut marked = vec![false; ranks.len()];
    let mut member = tails.last().copied();
    while let Some(position) = member {
        if let Some(marked) = marked.get_mut(position) {
            *marked = true;
        }
        member = previous.get(position).copied().flatten();
    }
    marked
}

/// The inverse of `order` if that is a permutation of `0..len`.
pub(crate) fn permutation(order: &[usize], len: usize) -> Option<Vec<usize>> {
    if order.len() != len {
        return None;
    }
    let mut inverse = vec![usize::MAX; len];
    for (position, &index) in order.iter().enumerate() {
        let place = inverse.get_mut(index)?;
        if *place != usize::MAX {
            return None;
        }
        *place = position;
    }
    Some(inverse)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{At, Changes, reorder};
    use crate::patch::Op;

    /// Most items stay, so that those that do not are moved one by one.
    fn orders() -> impl Strategy<Value = Vec<usize>> {
        let moves = prop::collection::vec((0..200_usize, 0..200_usize), 0..25);
        (1..200_usize, moves).prop_map(|(len, moves)| {
            let mut order: Vec<usize> = (0..len).collect();
            for (from, to) in moves {
                let item = order.remove(from % len);
                order.insert(to % len, item);
            }
            order
        })
    }

    proptest! {
        #[test]
        fn the_ops_bring_about_the_order(wanted in orders(), start in 0..3_usize, behind in 0..3_usize) {
            let mut out = Changes::as_ops();
            reorder(&wanted, start, behind, &At::root(), &mut out);
            let len = start + wanted.len() + behind;
            let mut list: Vec<usize> = (0..len).collect();
            for op in out.ops() {
                match op {
                    Op::Move { from, to, .. } => {
                        prop_assert_ne!(from, to);
                        let item = list.remove(*from);
                        list.insert(*to, item);
                    }
                    Op::Reorder { order, .. } => list = order.iter().map(|index| list[*index]).collect(),
                    other => prop_assert!(false, "{:?}", other),
                }
            }
            let wanted = (0..start)
                .chain(wanted.iter().map(|rank| start + rank))
                .chain(len - behind..len);
            prop_assert!(list.iter().copied().eq(wanted), "{:?}", list);
        }
    }
}
