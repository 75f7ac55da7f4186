//! A queue that is mostly empty or has one item, and needs no other memory as long as it was never
//! longer.

use std::collections::{TryReserveError, VecDeque};

/// A queue with more room than this gives its memory back when it is empty.
const KEPT_ITEMS: usize = 64;

/// A queue whose first item stands in the queue itself, and need not be fetched from elsewhere in
/// memory.
#[derive(Debug)]
pub(crate) struct ShortQueue<T> {
    first: Option<T>,
    /// Empty if there is no first item.
    rest: VecDeque<T>,
}

impl<T> Default for ShortQueue<T> {
    fn default() -> Self {
        Self {
            first: None,
            rest: VecDeque::new(),
        }
    }
}

impl<T> ShortQueue<T> {
    /// Returns how many items there are.
    pub(crate) fn len(&self) -> usize {
        usize::from(self.first.is_some()) + self.rest.len()
    }

    /// Adds an item at the end.
    pub(crate) fn push_back(&mut self, item: T) {
        match self.first {
            None => self.first = Some(item),
            Some(_) => self.rest.push_back(item),
        }
    }

    /// Makes room for more items. Fails if there is no memory for them.
    pub(crate) fn try_reserve(&mut self, more: usize) -> Result<(), TryReserveError> {
        let inside = usize::from(self.first.is_none());
        self.rest.try_reserve(more.saturating_sub(inside))
    }

    /// Returns the first item.
    pub(crate) fn front(&self) -> Option<&T> {
        self.first.as_ref()
    }

    /// Returns the first item.
    pub(crate) fn front_mut(&mut self) -> Option<&mut T> {
        self.first.as_mut()
    }

    /// Removes and returns the first item.
    pub(crate) fn pop_front(&mut self) -> Option<T> {
        let first = self.first.take()?;
        self.first = self.rest.pop_front();
        if self.first.is_none() && self.rest.capacity() > KEPT_ITEMS {
            self.rest = VecDeque::new();
        }
        Some(first)
    }

    /// Removes all items.
    pub(crate) fn clear(&mut self) {
        *self = Self::default();
    }

    /// Returns the items in their order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &T> {
        self.first.iter().chain(&self.rest)
    }
}

#[cfg(test)]
mod tests {
    use proptest::{collection::vec, prelude::*};

    use super::*;

    proptest! {
        #[test]
        fn it_is_a_queue_and_keeps_little_memory(steps in vec((0..8u8, 0..200usize), 0..60)) {
            let (mut queue, mut model) = (ShortQueue::default(), VecDeque::new());
            for (step, count) in steps {
                match step {
                    0 => {
                        queue.clear();
                        model.clear();
                    }
                    1 => queue.try_reserve(count).unwrap(),
                    2..=4 => (0..count).for_each(|number| {
                        queue.push_back(number);
                        model.push_back(number);
                    }),
                    _ => (0..count).for_each(|_| assert_eq!(queue.pop_front(), model.pop_front())),
                }
                prop_assert_eq!(queue.len(), model.len());
                prop_assert_eq!(queue.front(), model.front());
                prop_assert_eq!(queue.front_mut(), model.front_mut());
                prop_assert!(queue.iter().eq(&model));
            }
            while queue.pop_front().is_some() {}
            queue.push_back(1);
            queue.pop_front();
            prop_assert!(queue.rest.capacity() <= KEPT_ITEMS);
        }
    }
}
