//! A lock on a value that belongs to a task, and that others may work on meanwhile. Neither waits
//! for the other, except at the end.

#![allow(unreachable_pub, reason = "the crate `model` compiles it, too")]

use std::task::Waker;

use crate::sync::{AtomicBool, AtomicWaker, Mutex, Ordering, fence};

/// A value that a task works on when it is polled, and others work on while it is not.
#[derive(Debug)]
pub struct TaskLock<T> {
    value: Mutex<T>,
    task: AtomicWaker,
    /// True if the task has found the value locked.
    is_wanted: AtomicBool,
}

impl<T> TaskLock<T> {
    /// Makes it of a value that nobody works on yet.
    pub fn new(value: T) -> Self {
        Self {
            value: Mutex::new(value),
            task: AtomicWaker::default(),
            is_wanted: AtomicBool::new(false),
        }
    }

    /// Has the task do something with the value. Returns `None` if somebody else works on it; the
    /// task is woken when that one has ended.
    pub fn poll<R>(&self, task: &Waker, act: impl FnOnce(&mut T) -> R) -> Option<R> {
        self.task.register(task);
        let value = self.value.try_lock().or_else(|| {
            self.is_wanted.store(true, Ordering::Relaxed);
            // `help` unlocks the value, and then looks at `is_wanted`. So either this finds the
            // value unlocked, or `help` finds that it is wanted, and wakes the task.
            fence(Ordering::SeqCst);
            self.value.try_lock()
        });
        value.map(|mut value| act(&mut value))
    }

    /// Does something with the value in the place of the task. Wakes the task if `act` returns
    /// false, or somebody else works on the value.
    pub fn help(&self, act: impl FnOnce(&mut T) -> bool) {
        let is_done = match self.value.try_lock() {
            Some(mut value) => act(&mut value),
            None => false,
        };
        fence(Ordering::SeqCst);
        if !is_done || self.is_wanted.swap(false, Ordering::Relaxed) {
            self.task.wake();
        }
    }

    /// Does something with the value when nobody else does any more.
    pub fn wait<R>(&self, act: impl FnOnce(&mut T) -> R) -> R {
        act(&mut self.value.lock())
    }
}
