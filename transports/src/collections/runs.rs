//! How the items of a list are arranged now, in terms of where they were at the last sync.

/// Items that follow each other now and did so then, or items that are new.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Run {
    /// Where the first of them was; `None`: they are new.
    pub(super) from: Option<usize>,
    pub(super) len: usize,
}

impl Run {
    /// The items from `offset` on.
    fn tail(self, offset: usize) -> Self {
        Self {
            from: self.from.map(|from| from + offset),
            len: self.len - offset,
        }
    }

    /// Whether the items of `next` continue this run.
    fn continues_in(self, next: Self) -> bool {
        match (self.from, next.from) {
            (None, None) => true,
            (Some(from), Some(next)) => from + self.len == next,
            _ => false,
        }
    }
}

/// The runs of a whole list. A list that was not rearranged is one run, or none if it is empty.
#[derive(Clone, Debug, Default)]
pub(super) struct Runs(Vec<Run>);

impl Runs {
    /// Where all items are at their old places.
    pub(super) fn reset(&mut self, len: usize) {
        self.0.clear();
        if len > 0 {
            self.0.push(Run { from: Some(0), len });
        }
    }

    /// Whether this is a list of `len` items that was not rearranged.
    #[inline]
    pub(super) fn are_in_place(&self, len: usize) -> bool {
        match self.0.as_slice() {
            [] => len == 0,
            [only] => only.from == Some(0) && only.len == len,
            _ => false,
        }
    }

    /// A look-up from old places to new ones.
    pub(super) fn places(&self) -> Places {
        let mut start = 0;
        let mut places = Vec::with_capacity(self.0.len());
        for run in &self.0 {
            places.extend(run.from.map(|from| (from, run.len, start)));
            start += run.len;
        }
        places.sort_unstable();
        Places(places)
    }

    pub(super) fn iter(&self) -> impl DoubleEndedIterator<Item = Run> {
        self.0.iter().copied()
    }

    pub(super) fn count(&self) -> usize {
        self.0.len()
    }

    /// Where the item now at `index` was; `None`: it is new.
    #[inline]
    pub(super) fn origin(&self, index: usize) -> Option<usize> {
        if let [Run { from, .. }] = self.0.as_slice() {
            return from.map(|from| from + index);
        }
        let mut left = index;
        for run in &self.0 {
            if left < run.len {
                return run.from.map(|from| from + left);
            }
            left -= run.len;
        }
        None
    }

    /// The new item at the end.
    #[inline]
    pub(super) fn push(&mut self) {
        match self.0.last_mut() {
            Some(Run { from: None, len }) => *len += 1,
            _ => self.0.push(Run { from: None, len: 1 }),
        }
    }

    /// `len` new items before the one at `index`.
    pub(super) fn insert(&mut self, index: usize, len: usize) {
        if len > 0 {
            let place = self.split(index);
            self.0.insert(place, Run { from: None, len });
            self.join(place, place + 1);
        }
    }

    /// The items at `start..end` go.
    pub(super) fn remove(&mut self, start: usize, end: usize) {
        if start < end {
            let first = self.split(start);
            let last = self.split(end);
            self.0.drain(first..last);
            self.join(first, first);
        }
    }

    /// The items at `start..end` come to stand so that the one that was at `middle` is the first of them.
    pub(super) fn rotate(&mut self, start: usize, middle: usize, end: usize) {
        if start < middle && middle < end {
            let first = self.split(start);
            let pivot = self.split(middle);
            let last = self.split(end);
            if let Some(runs) = self.0.get_mut(first..last) {
                runs.rotate_left(pivot - first);
            }
            self.join(first, last);
        }
    }

    /// Two items change places.
    pub(super) fn swap(&mut self, a: usize, b: usize) {
        let (a, b) = (a.min(b), a.max(b));
        if a < b {
            // Splitting further on does not move the splits before.
            let first = self.split(a);
            self.split(a + 1);
            let second = self.split(b);
            self.split(b + 1);
            self.0.swap(first, second);
            self.join(first, second + 1);
        }
    }

    /// The item now at `i` is the one that was at `order(i)`; there are as many as before.
    pub(super) fn permute(&mut self, order: impl Iterator<Item = usize>) {
        let mut origins = Vec::new();
        for run in &self.0 {
            origins.extend((0..run.len).map(|offset| run.from.map(|from| from + offset)));
        }
        self.0.clear();
        for index in order {
            let from = origins.get(index).copied().flatten();
            self.append(Run { from, len: 1 });
        }
    }

    /// Keeps the items for which `keep` says so, asked in order.
    pub(super) fn retain(&mut self, mut keep: impl FnMut(usize) -> bool) {
        let mut index = 0;
        let runs = std::mem::take(&mut self.0);
        for run in runs {
            for offset in 0..run.len {
                if keep(index) {
                    let from = run.from.map(|from| from + offset);
                    self.append(Run { from, len: 1 });
                }
                index += 1;
            }
        }
    }

    fn append(&mut self, run: Run) {
        match self.0.last_mut() {
            Some(last) if last.continues_in(run) => last.len += run.len,
            _ => self.0.push(run),
        }
    }

    /// Makes a run begin at `index`; the position of that run.
    fn split(&mut self, index: usize) -> usize {
        let mut left = index;
        for place in 0..self.0.len() {
            let Some(run) = self.0.get_mut(place) else {
                break;
            };
            if left == 0 {
                return place;
            }
            if left < run.len {
                let tail = run.tail(left);
                run.len = left;
                self.0.insert(place + 1, tail);
                return place + 1;
            }
            left -= run.len;
        }
        self.0.len()
    }

    /// Joins neighbours that continue each other, for the runs at `first - 1` to `last`.
    fn join(&mut self, first: usize, last: usize) {
        let mut place = first.saturating_sub(1);
        let mut rest = last + 1 - place;
        while rest > 0 {
            let pair = (self.0.get(place).copied(), self.0.get(place + 1).copied());
            let (Some(run), Some(next)) = pair else {
                return;
            };
            if run.continues_in(next) {
                if let Some(run) = self.0.get_mut(place) {
                    run.len += next.len;
                }
                self.0.remove(place + 1);
            } else {
                place += 1;
            }
            rest -= 1;
        }
    }
}

/// Where runs were, how long they are, and where they are now; sorted.
pub(super) struct Places(Vec<(usize, usize, usize)>);

impl Places {
    /// Where the item is that was at `origin`, if it is still there.
    pub(super) fn now(&self, origin: usize) -> Option<usize> {
        let run = self
            .0
            .partition_point(|(from, ..)| *from <= origin)
            .checked_sub(1)?;
        let (from, len, start) = *self.0.get(run)?;
        (origin - from < len).then_some(start + origin - from)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::Runs;

    /// Where each item was, item by item.
    fn origins(runs: &Runs, len: usize) -> Vec<Option<usize>> {
        (0..len).map(|index| runs.origin(index)).collect()
    }

    proptest! {
        #[test]
        fn runs_tell_the_same_as_a_list_of_origins(
            start in 0_usize..6,
            steps in prop::collection::vec((0_usize..8, any::<usize>(), any::<usize>()), 0..30),
        ) {
            let mut runs = Runs::default();
            runs.reset(start);
            let mut list: Vec<Option<usize>> = (0..start).map(Some).collect();
            for (step, a, b) in steps {
                let (a, b) = (a % (list.len() + 1), b % (list.len() + 1));
                let (low, high) = (a.min(b), a.max(b));
                match step {
                    0 => {
                        runs.push();
                        list.push(None);
                    }
                    1 => {
                        runs.insert(low, 2);
                        list.splice(low..low, [None, None]);
                    }
                    2 => {
                        runs.remove(low, high);
                        list.drain(low..high);
                    }
                    3 => {
                        runs.rotate(0, low, high);
                        list[..high].rotate_left(low);
                    }
                    4 if high < list.len() => {
                        runs.swap(a, b);
                        list.swap(a, b);
                    }
                    5 => {
                        let len = list.len();
                        runs.permute((0..len).rev());
                        list.reverse();
                    }
                    _ => {
                        runs.retain(|index| index % 3 != step % 3);
                        let mut index = 0;
                        list.retain(|_| {
                            index += 1;
                            (index - 1) % 3 != step % 3
                        });
                    }
                }
                prop_assert_eq!(origins(&runs, list.len()), list.clone());
                prop_assert_eq!(runs.iter().map(|run| run.len).sum::<usize>(), list.len());
                for pair in runs.0.windows(2) {
                    prop_assert!(!pair[0].continues_in(pair[1]), "runs are as long as can be: {:?}", runs);
                }
            }
        }
    }
}
