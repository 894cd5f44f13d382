internal import CAllocationCounter
internal import TocsinCore

/// Runs the hot path in its steady state, counts heap allocations by stage and refuses more than Benchmarks/thresholds.json
/// allows.
@main
struct AllocationGate {
    static func main() {
        let arguments = CommandLine.arguments.dropFirst()
        if arguments.contains("--help") || arguments.contains("-h") {
            print(usage)
            return
        }
        let path = arguments.first ?? "Benchmarks/thresholds.json"
        do {
            guard tk_allocation_count() > 0 else {
                print("SKIP allocation gate: allocations are counted with glibc only")
                return
            }
            let thresholds = try Thresholds(path: path)
            let report = try GateReport(counts: SteadyState.measure(), thresholds: thresholds)
            print(report.text)
            if !report.failures.isEmpty { exit(with: report.failures) }
        } catch {
            exit(with: ["FAIL allocation gate: \(error)"])
        }
    }

    private static let usage = """
        usage: allocation-gate [thresholds.json]

        Counts the heap allocations of decode, deduplicate, bank, windows, forest, route, shard and join over batches of
        5,000 readings in the steady state, prints them, and ends with 1 when one exceeds what the file allows
        (default: Benchmarks/thresholds.json).
        """
}
