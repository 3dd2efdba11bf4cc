//! Lists in order, by a sort that is compiled once for lists of whatever there is.
//!
//! The one of std is compiled anew, ten kilobytes of it, for each type and each order.
//! That is worth it where many are sorted while somebody waits; a report's lists are
//! sorted once.

use std::cmp::Ordering;

/// Sorts `items`; those that are equal stay in their order.
pub fn sort_by<T>(items: &mut [T], compare: impl Fn(&T, &T) -> Ordering) {
    let order = order(items.len(), &|one, other| compare(&items[one], &items[other]));
    rearrange(order, &mut |one, other| items.swap(one, other));
}

/// The same by a key.
pub fn sort_by_key<T, K: Ord>(items: &mut [T], key: impl Fn(&T) -> K) {
    sort_by(items, |one, other| key(one).cmp(&key(other)));
}

/// Which one comes first, second and so on.
fn order(count: usize, compare: &dyn Fn(usize, usize) -> Ordering) -> Vec<usize> {
    let mut order: Vec<usize> = (0..count).collect();
    order.sort_by(|&one, &other| compare(one, other));
    order
}

/// Brings them there, along each ring of places that change theirs with each other.
fn rearrange(mut order: Vec<usize>, swap: &mut dyn FnMut(usize, usize)) {
    for first in 0..order.len() {
        let mut at = first;
        while order[at] != first {
            let next = std::mem::replace(&mut order[at], at);
            swap(at, next);
            at = next;
        }
        order[at] = at;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn it_sorts_as_std_does(keys: Vec<u8>) {
            let mut items: Vec<(u8, usize)> = keys.iter().map(|key| key % 8).zip(0..).collect();
            let mut std = items.clone();
            std.sort_by_key(|&(key, _)| key);
            sort_by_key(&mut items, |&(key, _)| key);
            prop_assert_eq!(items, std);
        }
    }
}
