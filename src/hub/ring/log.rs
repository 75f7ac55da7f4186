//! The sealed batches that readers have not taken yet.

use std::{collections::VecDeque, sync::Arc};

use crate::hub::batch::Batch;

/// The sealed batches that some reader has not taken.
#[derive(Debug, Default)]
pub(super) struct Log {
    slots: VecDeque<Slot>,
    /// Number of the first slot.
    first: u64,
    pub(super) events: usize,
    pub(super) weight: usize,
}

#[derive(Debug)]
struct Slot {
    batch: Arc<Batch>,
    /// How many readers have not taken it.
    unread: usize,
}

impl Log {
    /// Adds a batch that `unread` readers have to take.
    pub(super) fn push(&mut self, batch: Batch, unread: usize) {
        self.events += batch.events().len();
        self.weight += batch.weight();
        let batch = Arc::new(batch);
        self.slots.push_back(Slot { batch, unread });
        self.remove_read();
    }

    /// Counts the slots `from..to` as taken by one reader.
    pub(super) fn take(&mut self, from: u64, to: u64) {
        for number in from..to {
            self.slots[(number - self.first) as usize].unread -= 1;
        }
        self.remove_read();
    }

    /// Returns the number that the next batch gets.
    pub(super) fn end(&self) -> u64 {
        self.first + self.slots.len() as u64
    }

    /// Returns the batches `from..to`.
    pub(super) fn range(&self, from: u64, to: u64) -> impl Iterator<Item = &Arc<Batch>> {
        let start = (from - self.first) as usize;
        let slots = self.slots.range(start..start + (to - from) as usize);
        slots.map(|slot| &slot.batch)
    }

    fn remove_read(&mut self) {
        while let Some(slot) = self.slots.front()
            && slot.unread == 0
        {
            self.events -= slot.batch.events().len();
            self.weight -= slot.batch.weight();
            self.first += 1;
            self.slots.pop_front();
        }
    }
}
