#if canImport(Glibc)
internal import Glibc
#elseif canImport(Darwin)
internal import Darwin
#endif

/// Clocks of the benchmarks: the machine's own, because the machine is what is measured.
public enum MachineClock {
    /// Nanoseconds that never step back; the origin means nothing.
    public static func monotonic() -> Int64 { nanoseconds(CLOCK_MONOTONIC) }
    /// CPU nanoseconds of all threads of this process so far.
    public static func processCPU() -> Int64 { nanoseconds(CLOCK_PROCESS_CPUTIME_ID) }
    /// CPU nanoseconds of the calling thread so far.
    public static func threadCPU() -> Int64 { nanoseconds(CLOCK_THREAD_CPUTIME_ID) }
    /// Nanoseconds since 1970.
    public static func wall() -> Int64 { nanoseconds(CLOCK_REALTIME) }

    private static func nanoseconds(_ clock: clockid_t) -> Int64 {
        var time = timespec()
        clock_gettime(clock, &time)
        return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
    }
}

/// What a piece of work cost: time, CPU time and, where they are counted, allocations.
public struct Cost: Sendable, Equatable {
    public var wallNanoseconds: Int64 = 0
    public var cpuNanoseconds: Int64 = 0
    /// nil = nobody counts (see `AllocationCount`).
    public var allocations: UInt64?

    public init() {}
}

/// Adds up the cost of what runs between `start` and `stop`, as often as wanted.
public struct StopWatch: Sendable {
    public private(set) var cost = Cost()
    private var wall: Int64 = 0
    private var cpu: Int64 = 0
    private var allocations: UInt64?

    public init() {}

    public mutating func start() {
        allocations = AllocationCount.current()
        cpu = MachineClock.processCPU()
        wall = MachineClock.monotonic()
    }

    public mutating func stop() {
        cost.wallNanoseconds += MachineClock.monotonic() - wall
        cost.cpuNanoseconds += MachineClock.processCPU() - cpu
        if let before = allocations, let now = AllocationCount.current() {
            cost.allocations = (cost.allocations ?? 0) + (now &- before)
        }
    }
}
