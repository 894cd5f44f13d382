internal import TocsinCore
internal import TocsinDetect

/// Are synthetic faults found, and called by their name? And is plain noise left in peace?
enum TypesSuite {
    static let kinds: [AnomalyKind] = [.spike, .drift, .stuck, .noise, .silence]
    /// A verdict up to so many seconds after the end still belongs to the fault; of the return to normal none counts
    /// until `aftermath` is over.
    private static let tolerance = 60
    private static let aftermath = 900
    /// Verdicts of one kind less than so many seconds apart are one incident.
    private static let joining = 300

    static func run(
        _ names: [String], _ options: Evaluation.Options, _ progress: Evaluation.Progress
    ) throws -> SuiteReport {
        guard names.isEmpty || names.contains("bank") else {
            throw TocsinError(
                .usage, "only the bank says which kind an anomaly is", remedy: "run this suite with the detector bank")
        }
        let truths: [AnomalyKind?] = kinds + [nil]
        let jobs = truths.indices.flatMap { truth in (0..<max(options.streams, 1)).map { (truth, $0) } }
        let outcomes = try Work.map(jobs, progress: progress) { job in
            judge(
                SyntheticStream(
                    signal: .allCases[job.1 % SyntheticStream.Signal.allCases.count], kind: truths[job.0],
                    amplitude: options.amplitude, spikeSeconds: options.spikeSeconds,
                    seed: options.seed &* 1_000_003 &+ UInt64(job.0 * 100_000 + job.1)))
        }
        let quiet = try quietDay(options, progress)
        return report(
            jobs.map(\.0), outcomes, quiet, try spikesByLength(options, progress), options)
    }

    private struct Outcome: Sendable {
        /// Kinds reported within the fault, in order of time; the delay of the first in seconds.
        var kinds: [AnomalyKind] = []
        var delay: Double?
        /// Incidents elsewhere.
        var strays: [AnomalyKind] = []
    }

    /// Drives the bank as a shard does; a second sensor that never fails keeps the clock going.
    private static func judge(_ stream: SyntheticStream) -> Outcome {
        var bank = Bank()
        let series = SeriesID(0)
        var outcome = Outcome()
        var last: [AnomalyKind: Int] = [:]
        var overdue: [SeriesID] = []
        var row = 0
        func note(_ kind: AnomalyKind, _ second: Int) {
            let fault = stream.fault
            if !fault.isEmpty, second >= fault.lowerBound, second < fault.upperBound + tolerance {
                outcome.kinds.append(kind)
                outcome.delay = outcome.delay ?? Double(second - fault.lowerBound)
            } else if fault.isEmpty || second < fault.lowerBound || second >= fault.upperBound + aftermath {
                let before = last[kind] ?? -joining
                if second - before >= joining { outcome.strays.append(kind) }
            }
            last[kind] = second
        }
        for second in 0..<SyntheticStream.rows {
            let time = Timestamp(nanoseconds: (1_700_000_000 + Int64(second)) * 1_000_000_000)
            if row < stream.seconds.count, stream.seconds[row] == second {
                let assessment = bank.assess(series: series, time: time, highWater: time, value: stream.values[row])
                row += 1
                if let kind = assessment.kind { note(kind, second) }
            }
            overdue.removeAll(keepingCapacity: true)
            bank.overdueSeries(highWater: time, into: &overdue)
            for late in overdue {
                _ = bank.silence(of: late, highWater: time)
                note(.silence, second)
            }
        }
        return outcome
    }

    /// Spikes of one reading and of three: recall by signal and in all.
    private static func spikesByLength(
        _ options: Evaluation.Options, _ progress: Evaluation.Progress
    ) throws -> [SuiteReport.Row] {
        let signals = SyntheticStream.Signal.allCases
        return try [1, 3].map { length in
            let outcomes = try Work.map(Array(0..<max(options.streams, 1)), progress: progress) { number in
                judge(
                    SyntheticStream(
                        signal: signals[number % signals.count], kind: .spike, amplitude: options.amplitude,
                        spikeSeconds: length, seed: options.seed &* 1_000_003 &+ UInt64(length * 1_000_000 + number)))
            }
            func recall(_ numbers: [Int]) -> Double? {
                numbers.isEmpty
                    ? nil : Double(numbers.count { name(outcomes[$0].kinds) == .spike }) / Double(numbers.count)
            }
            return SuiteReport.Row(
                "bank", "\(length) s",
                signals.indices.map { signal in recall(outcomes.indices.filter { $0 % signals.count == signal }) }
                    + [recall(Array(outcomes.indices))])
        }
    }

    /// Incidents on a day of plain normal noise at 1 Hz.
    private static func quietDay(
        _ options: Evaluation.Options, _ progress: Evaluation.Progress
    ) throws -> [AnomalyKind] {
        try Work.map(Array(0..<max(options.quietSensors, 0)), progress: progress) { sensor -> [AnomalyKind] in
            var bank = Bank()
            var noise = GaussianNoise(random: SplitMix64(seed: options.seed &* 7_919 &+ UInt64(sensor)))
            var last: [AnomalyKind: Int] = [:]
            var incidents: [AnomalyKind] = []
            for second in 0..<86_400 {
                let time = Timestamp(nanoseconds: (1_700_000_000 + Int64(second)) * 1_000_000_000)
                let value = 20 + noise.next()
                guard let kind = bank.assess(series: SeriesID(0), time: time, highWater: time, value: value).kind else {
                    continue
                }
                if second - (last[kind] ?? -joining) >= joining { incidents.append(kind) }
                last[kind] = second
            }
            return incidents
        }.flatMap { $0 }
    }

    /// What a person reads first: the more lasting condition explains the lesser ones.
    private static func name(_ found: [AnomalyKind]) -> AnomalyKind? {
        [.silence, .stuck, .drift, .noise, .spike].first(where: found.contains) ?? found.first
    }

    private static func report(
        _ truths: [Int], _ outcomes: [Outcome], _ quiet: [AnomalyKind],
        _ spikes: [SuiteReport.Row], _ options: Evaluation.Options
    ) -> SuiteReport {
        let names = kinds.map(\.name) + ["none"]
        let none = kinds.count
        var matrix = ConfusionMatrix(kinds: names)
        var rows: [SuiteReport.Row] = []
        for truth in names.indices {
            let mine = zip(truths, outcomes).filter { $0.0 == truth }.map(\.1)
            for outcome in mine {
                let found = name(outcome.kinds).flatMap(kinds.firstIndex) ?? none
                if truth != none || outcome.strays.isEmpty { matrix.add(truth: truth, found: found) }
                for stray in outcome.strays { matrix.add(truth: none, found: kinds.firstIndex(of: stray) ?? none) }
            }
            guard truth != none else { continue }
            let found = mine.filter { !$0.kinds.isEmpty }
            let delays = found.compactMap(\.delay).sorted()
            rows.append(
                .init(
                    "bank", names[truth],
                    [
                        matrix.recall(truth), Double(found.count) / Double(max(mine.count, 1)),
                        found.isEmpty
                            ? nil
                            : Double(found.count { name($0.kinds) == kinds[truth] }) / Double(found.count),
                        found.isEmpty
                            ? nil : Double(found.count { $0.kinds.first == kinds[truth] }) / Double(found.count),
                        delays.isEmpty ? nil : delays[delays.count / 2],
                    ]))
        }
        for index in rows.indices { rows[index].figures.insert(matrix.precision(index), at: 0) }
        let confusion = names.indices.map { truth in
            SuiteReport.Row("bank", names[truth], names.indices.map { Double(matrix[truth, $0]) })
        }
        // The signals take turns within each kind.
        let signals = SyntheticStream.Signal.allCases
        let bySignal = kinds.indices.map { truth in
            let mine = zip(truths, outcomes).filter { $0.0 == truth }.map(\.1)
            return SuiteReport.Row(
                "bank", names[truth],
                signals.indices.map { signal in
                    let some = mine.indices.filter { $0 % signals.count == signal }
                    let right = some.filter { name(mine[$0].kinds) == kinds[truth] }
                    return some.isEmpty ? nil : Double(right.count) / Double(some.count)
                })
        }
        let sensors = Double(max(options.quietSensors, 1))
        let quietRow = SuiteReport.Row(
            "bank", "\(options.quietSensors) sensors",
            kinds.map { kind in Double(quiet.count { $0 == kind }) } + [100 * Double(quiet.count) / sensors])
        return SuiteReport(
            suite: "types",
            tables: [
                .init(
                    "faults of \(SuiteReport.fixed(options.amplitude, 1)) standard deviations, \(options.streams) streams a kind",
                    columns: [
                        .init("precision"), .init("recall"), .init("found as any"), .init("right kind"),
                        .init("first right"), .init("delay s", 0),
                    ], rows: rows),
                .init(
                    "true kind (rows) found as (columns)", columns: names.map { .init($0, 0) }, rows: confusion),
                .init(
                    "recall by signal", columns: signals.map { .init(String(describing: $0)) }, rows: bySignal,
                    isDetail: true),
                .init(
                    "recall of spikes by length and signal",
                    columns: signals.map { .init(String(describing: $0)) } + [.init("all")], rows: spikes),
                .init(
                    "a day of plain noise at 1 Hz: false incidents",
                    columns: kinds.map { .init($0.name, 0) } + [.init("per 100 sensors", 2)], rows: [quietRow]),
            ],
            notes: [
                "Signals in turn: level, wave of 10 minutes, correlated noise, rounded to a quarter; noise of 1 in all. "
                    + "Faults: spike \(options.spikeSeconds) s, drift a ramp of 2 to 10 min, stuck and added "
                    + "noise 1 to 5 min, silence 1 to 3 min.",
                "What is possible for a spike of one reading: one false incident per 100 sensors and day at 1 Hz leaves a "
                    + "chance of 1.16e-7 a reading, that is a limit of 5.30 standard deviations even where level and "
                    + "scale are known exactly (Neyman and Pearson 1933). Five standard deviations in independent noise "
                    + "pass it in 38 % of cases, so no detector exceeds 0.38 on level, wave and rounded; on the "
                    + "correlated signal the one-step error is 0.6 and nearly all pass: 0.54 in all. The mean of three "
                    + "readings is 8.7 of its standard deviations, of which 99.9 % pass.",
                "A fault is called by the most lasting kind reported in it: silence, stuck, drift, noise, spike. "
                    + "\"first right\": the first verdict already had the right kind. Precision counts stray "
                    + "incidents and wrong kinds.",
            ])
    }
}
