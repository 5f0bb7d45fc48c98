import BigLittleBindings

// Plain values are the core's own: the same fields on every platform.

/// The answer for a frame, and what it took.
public typealias Outcome = BigLittleBindings.Answer
