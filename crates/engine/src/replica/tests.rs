//! Laws of the wire.
