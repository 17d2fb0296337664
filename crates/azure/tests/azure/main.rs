//! Against the real emulator.
