//! A whole virtual machine beside the emulated endpoint: its own kernel, firmware, screen, keyboard
//! and mouse, without hardware virtualisation.
//!
//! A [`Machine`] is told commands through QEMU's guest agent, which needs no network: the kill switch
//! closes it and sleep stops it, and the tests go on. A [`Person`] sits at its screen.

mod guest;
mod keys;
mod machine;
mod person;
mod qmp;

pub use machine::{Machine, SOON};
pub use person::{Person, Seen};

use std::process::ExitCode;
use std::time::Instant;

/// A test: its name, and what it does.
pub type Test<T> = (&'static str, fn(&mut T));

/// Those of the tests whose names contain one of the words of the command line; all, without a word.
#[must_use]
pub fn chosen<T>(tests: &[Test<T>]) -> Vec<Test<T>> {
    let words: Vec<_> = std::env::args().skip(1).collect();
    let is_chosen = |(name, _): &&Test<T>| {
        words.is_empty() || words.iter().any(|word| name.contains(word.as_str()))
    };
    let chosen: Vec<_> = tests.iter().filter(is_chosen).copied().collect();
    assert!(!chosen.is_empty(), "no test is called so: {words:?}");
    chosen
}

/// Runs the tests one after the other on `subject`; those that follow a failed one are not run, as they
/// may build on it.
#[must_use]
pub fn run<T>(tests: &[Test<T>], subject: &mut T, keep_evidence: fn(&mut T)) -> ExitCode {
    for (name, test) in tests {
        println!("{name}");
        let begin = Instant::now();
        let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| test(subject)));
        let seconds = begin.elapsed().as_secs();
        if outcome.is_err() {
            println!("{name}: FAILED after {seconds} s");
            keep_evidence(subject);
            return ExitCode::FAILURE;
        }
        println!("{name}: good, {seconds} s");
    }
    ExitCode::SUCCESS
}
