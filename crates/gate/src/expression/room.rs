//! What a run may make, and how long it may go on: one room for all that it makes, one flag that ends it.
//!
//! Everything is paid for before it is made, or when it is put into something else: a text by its length, a list or map by
//! all that is in it, each time. So what a run holds is never larger than [`ROOM`], however often a program doubles it, and
//! no value nests deeper than [`DEEPEST`]. What is used up stays used up: a program can't catch it and go on.

use std::cell::Cell;
use std::sync::atomic::{AtomicBool, Ordering};

use jaq_core::Error;
use jaq_json::{Num, Val};

/// What a run may make, in bytes. A page of 1 MiB is 30 MB of values at most, usually 3.
pub(super) const ROOM: usize = 64 * 1024 * 1024;

/// The most rounds of all loops of a run.
pub(super) const ROUNDS: u32 = 1_000_000;

/// What a step is paid with: the place of a value in a list.
const STEP: usize = 16;

/// How deep a value may nest. Comparing, showing and dropping it takes as much stack.
const DEEPEST: usize = 10_000;

/// The most bits of a whole number, far beyond what any metric counts.
const BITS: u64 = 65_536;

/// What is left of a run.
pub(super) struct Room<'a> {
    bytes: Cell<usize>,
    rounds: Cell<u32>,
    over: &'a AtomicBool,
    /// What was used up first.
    spent: Cell<Option<&'static str>>,
}

impl<'a> Room<'a> {
    /// All of it, until somebody says that it is over.
    pub(super) fn new(over: &'a AtomicBool) -> Self {
        Self {
            bytes: Cell::new(ROOM),
            rounds: Cell::new(ROUNDS),
            over,
            spent: Cell::new(None),
        }
    }

    /// Why the run must end.
    pub(super) fn spent(&self) -> Option<&'static str> {
        self.spent.get()
    }

    /// A round of a loop.
    pub(super) fn round(&self) -> Result<(), Error<Val>> {
        self.step()?;
        match self.rounds.get().checked_sub(1) {
            Some(left) => {
                self.rounds.set(left);
                Ok(())
            }
            None => Err(self.end("over 1000000 rounds of its loops")),
        }
    }

    /// Something that a program does again and again.
    pub(super) fn step(&self) -> Result<(), Error<Val>> {
        if self.over.load(Ordering::Relaxed) {
            return Err(self.end("it takes too long"));
        }
        self.take(STEP)
    }

    /// Room for something.
    pub(super) fn take(&self, bytes: usize) -> Result<(), Error<Val>> {
        // What is used up stays so: a program that catches the error must not go on with what is left.
        let left = self.bytes.get().checked_sub(bytes);
        match left.filter(|_| self.spent.get().is_none()) {
            Some(left) => {
                self.bytes.set(left);
                Ok(())
            }
            None => Err(self.end("it makes more than 64 MiB of values")),
        }
    }

    /// Room for a value.
    pub(super) fn take_value(&self, value: &Val) -> Result<(), Error<Val>> {
        self.take(self.weight(value)?)
    }

    /// How large a value is with all that is in it. What is there twice counts twice.
    pub(super) fn weight(&self, value: &Val) -> Result<usize, Error<Val>> {
        let (mut left, deepest) = (ROOM, DEEPEST);
        weigh(value, deepest, &mut left).map_err(|why| self.end(why))?;
        Ok(ROOM - left)
    }

    /// Whole numbers of so many bits together may be multiplied.
    pub(super) fn bits(&self, bits: u64) -> Result<(), Error<Val>> {
        if bits > BITS {
            return Err(self.end("a whole number gets too large"));
        }
        Ok(())
    }

    /// So many comparisons may be made at once.
    pub(super) fn work(&self, comparisons: usize) -> Result<(), Error<Val>> {
        // A second at most, where nothing can be interrupted.
        if comparisons > 1_000_000_000 {
            return Err(self.end("it compares too much"));
        }
        Ok(())
    }

    fn end(&self, why: &'static str) -> Error<Val> {
        let why = self.spent.get().unwrap_or(why);
        self.spent.set(Some(why));
        Error::str(why)
    }
}

/// How large a value is by itself, without what is in it.
pub(super) fn shallow(value: &Val) -> usize {
    match value {
        Val::BStr(bytes) | Val::TStr(bytes) => 48 + bytes.len(),
        Val::Arr(values) => 40 + 16 * values.len(),
        Val::Obj(fields) => 64 + 64 * fields.len(),
        Val::Num(Num::BigInt(whole)) => 32 + usize::try_from(whole.bits() / 8).unwrap_or(ROOM),
        Val::Num(Num::Dec(digits)) => 40 + digits.len(),
        Val::Null | Val::Bool(_) | Val::Num(_) => 16,
    }
}

fn weigh(value: &Val, depth: usize, left: &mut usize) -> Result<(), &'static str> {
    let depth = depth.checked_sub(1).ok_or("a value is nested too deep")?;
    let heavy = "a value is too large";
    *left = left.checked_sub(shallow(value)).ok_or(heavy)?;
    match value {
        Val::Arr(values) => values.iter().try_for_each(|value| weigh(value, depth, left)),
        Val::Obj(fields) => fields.iter().try_for_each(|(key, value)| {
            weigh(key, depth, left)?;
            weigh(value, depth, left)
        }),
        _ => Ok(()),
    }
}

/// How many values there are in a value, and how long its texts are together.
pub(super) fn counted(value: &Val) -> (usize, usize) {
    let both = |(values, text): (usize, usize), (more, longer)| (values + more, text + longer);
    match value {
        Val::BStr(bytes) | Val::TStr(bytes) => (1, bytes.len()),
        Val::Arr(values) => values.iter().map(counted).fold((1, 0), both),
        Val::Obj(fields) => {
            let fields = fields
                .iter()
                .map(|(key, value)| both(counted(key), counted(value)));
            fields.fold((1, 0), both)
        }
        _ => (1, 0),
    }
}
