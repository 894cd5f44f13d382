#if canImport(Glibc)
internal import Glibc
#elseif canImport(Darwin)
internal import Darwin
#endif

/// The number of heap allocations of this process, where it is counted: in `allocation-gate`, and under
/// `LD_PRELOAD` of the same counter (Benchmarks/README.md). The product itself counts nothing.
public enum AllocationCount {
    /// nil where nobody counts.
    public static func current() -> UInt64? { counter?() }

    private typealias Counter = @convention(c) () -> UInt64

    private static let counter: Counter? = {
        // NULL searches the program and everything loaded with it.
        guard let program = dlopen(nil, RTLD_NOW), let symbol = dlsym(program, "tk_allocation_count") else {
            return nil
        }
        return unsafeBitCast(symbol, to: Counter.self)
    }()
}
