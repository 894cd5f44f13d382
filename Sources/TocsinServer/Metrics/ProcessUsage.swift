#if canImport(Glibc)
internal import Glibc
#elseif canImport(Darwin)
internal import Darwin
#endif

/// Memory and CPU time of this process.
public struct ProcessUsage: Sendable {
    public var residentBytes: Int64
    public var peakResidentBytes: Int64
    public var cpuSeconds: Double

    /// From `/proc/self/statm` and `getrusage(2)`; nil where they are not to be had.
    public static func current() -> ProcessUsage? {
        var usage = rusage()
        // Glibc imports the constant as an enumeration, Darwin as an integer.
        #if canImport(Glibc)
        guard getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage) == 0 else { return nil }
        #else
        guard getrusage(RUSAGE_SELF, &usage) == 0 else { return nil }
        #endif
        let cpu =
            Double(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec)
            + Double(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6
        let peak = Int64(usage.ru_maxrss) * 1024
        guard let file = fopen("/proc/self/statm", "r") else {
            return ProcessUsage(residentBytes: peak, peakResidentBytes: peak, cpuSeconds: cpu)
        }
        defer { fclose(file) }
        var line = [CChar](repeating: 0, count: 256)
        guard fgets(&line, 255, file) != nil else { return nil }
        let fields = line.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }.split(separator: UInt8(ascii: " "))
        guard fields.count > 1, let pages = Int64(String(decoding: fields[1], as: UTF8.self)) else { return nil }
        let pageSize = Int64(sysconf(Int32(_SC_PAGESIZE)))
        return ProcessUsage(residentBytes: pages * pageSize, peakResidentBytes: peak, cpuSeconds: cpu)
    }
}
