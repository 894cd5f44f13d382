internal import TocsinCore
internal import TocsinDetect

/// The states of the detectors of a whole sensor, with bytes changed: what is accepted must go on working, and be
/// accepted again when saved. The first byte chooses which.
enum SensorStates {
    static func run(_ input: [UInt8]) {
        var input = Input(input)
        let kind = Int(input.byte()) % bases.count
        var reader = StateReader(input.changed(bases[kind]))
        switch kind {
        case 0, 1: ensemble(&reader, &input)
        case 2: adaptive(&reader, &input)
        case 3: fitted(&reader, &input)
        case 4: subspace(&reader, &input)
        case 5: novelty(&reader, &input)
        case 6: shingles(&reader, &input)
        case 7: clusters(&reader, &input)
        case 8: forest(&reader, &input)
        case 9: gate(&reader, &input)
        case 10: edge(&reader, &input)
        default: fire(&reader, &input)
        }
    }

    private static func isScore(_ score: Double, _ name: String) {
        check(score >= 0, "a score of \(name) is a number and not negative: \(score)")
    }

    private static func ensemble(_ reader: inout StateReader, _ input: inout Input) {
        guard var ensemble = SensorEnsemble(restoring: &reader) else { return }
        var findings: [EnsembleFinding] = []
        let evidence = [0.5, 3]
        for _ in 0..<32 where !input.isEmpty {
            let time = input.byte() & 7 == 0 ? input.number() : Int64(input.short()) * 10_000_000_000
            let row = input.values(Int(input.byte() % 5))
            let score = ensemble.observe(
                time: Timestamp(nanoseconds: time), values: row.span, evidence: evidence.span, into: &findings)
            isScore(score, "the ensemble")
        }
        for finding in findings {
            check(finding.pValue >= 0 && finding.pValue <= 1, "a probability lies in 0...1: \(finding.pValue)")
            check(finding.score >= 0 && finding.score <= 1, "a finding's score lies in 0...1: \(finding.score)")
        }
        var writer = StateWriter()
        ensemble.save(to: &writer)
        var again = StateReader(writer.bytes)
        check(SensorEnsemble(restoring: &again) != nil && again.isAtEnd, "an ensemble is restored as it was saved")
    }

    private static func adaptive(_ reader: inout StateReader, _ input: inout Input) {
        guard var chart = AdaptiveChart(restoring: &reader) else { return }
        var shares: [Double] = []
        for _ in 0..<32 where !input.isEmpty {
            isScore(chart.observe(input.values(3)).score, "the adaptive chart")
            chart.contributions(into: &shares)
            _ = chart.band(of: 0)
        }
        var writer = StateWriter()
        chart.save(to: &writer)
        var again = StateReader(writer.bytes)
        check(AdaptiveChart(restoring: &again) != nil && again.isAtEnd, "a chart is restored as it was saved")
    }

    private static func fitted(_ reader: inout StateReader, _ input: inout Input) {
        guard var chart = AssetChart(restoring: &reader) else { return }
        for _ in 0..<32 where !input.isEmpty { isScore(chart.observe(input.values(3)).score, "the chart") }
        var writer = StateWriter()
        chart.save(to: &writer)
        var again = StateReader(writer.bytes)
        check(AssetChart(restoring: &again) != nil, "a chart is restored as it was saved")
    }

    private static func subspace(_ reader: inout StateReader, _ input: inout Input) {
        guard var subspace = PrincipalSubspace(restoring: &reader) else { return }
        for _ in 0..<32 where !input.isEmpty { isScore(subspace.observe(input.values(3)).score, "the subspace") }
        var writer = StateWriter()
        subspace.save(to: &writer)
        var again = StateReader(writer.bytes)
        check(PrincipalSubspace(restoring: &again) != nil, "a subspace is restored as it was saved")
    }

    private static func novelty(_ reader: inout StateReader, _ input: inout Input) {
        guard var detector = NoveltyDetector(restoring: &reader) else { return }
        for _ in 0..<64 where !input.isEmpty { isScore(detector.observe(input.value()).score, "novelty") }
        let band = detector.usualBand()
        check(!(band.low > band.high), "a band has a lower and an upper end: \(band)")
        var writer = StateWriter()
        detector.save(to: &writer)
        var again = StateReader(writer.bytes)
        check(NoveltyDetector(restoring: &again) != nil, "novelty is restored as it was saved")
    }

    private static func shingles(_ reader: inout StateReader, _ input: inout Input) {
        guard var detector = ShingleSubspace(restoring: &reader) else { return }
        for _ in 0..<64 where !input.isEmpty { isScore(detector.observe(input.value()), "shingles") }
        var writer = StateWriter()
        detector.save(to: &writer)
        var again = StateReader(writer.bytes)
        check(ShingleSubspace(restoring: &again) != nil, "shingles are restored as they were saved")
    }

    private static func clusters(_ reader: inout StateReader, _ input: inout Input) {
        guard var detector = ShingleClusters(restoring: &reader) else { return }
        for _ in 0..<64 where !input.isEmpty { isScore(detector.observe(input.value()), "clusters") }
        var writer = StateWriter()
        detector.save(to: &writer)
        var again = StateReader(writer.bytes)
        check(ShingleClusters(restoring: &again) != nil, "clusters are restored as they were saved")
    }

    private static let forestSettings = OnlineForest.Settings(trees: 2, sampleSize: 8, memory: 64, firstRows: 16)

    private static func forest(_ reader: inout StateReader, _ input: inout Input) {
        guard var forest = OnlineForest(restoring: &reader, names: ["a", "b"], settings: forestSettings) else { return }
        var scores: [Double] = []
        for _ in 0..<32 where !input.isEmpty { forest.observe(rows: input.values(2), into: &scores) }
        check(scores.allSatisfy { $0.isNaN || $0 >= 0 && $0 <= 1 }, "scores lie in 0...1: \(scores)")
        var writer = StateWriter()
        forest.save(to: &writer)
        var again = StateReader(writer.bytes)
        check(
            OnlineForest(restoring: &again, names: ["a", "b"], settings: forestSettings) != nil,
            "an online forest is restored as it was saved")
    }

    private static func gate(_ reader: inout StateReader, _ input: inout Input) {
        guard var gate = SuspicionGate(restoring: &reader) else { return }
        for _ in 0..<32 where !input.isEmpty {
            gate.note(input.value())
            _ = gate.close(forestScore: input.value())
        }
        var writer = StateWriter()
        gate.save(to: &writer)
        var again = StateReader(writer.bytes)
        check(SuspicionGate(restoring: &again) != nil, "a gate is restored as it was saved")
    }

    private static func edge(_ reader: inout StateReader, _ input: inout Input) {
        guard var edge = LeadingEdge(restoring: &reader) else { return }
        for _ in 0..<64 where !input.isEmpty { isScore(edge.observe(abs(Double(input.short()))), "the leading edge") }
        var writer = StateWriter()
        edge.save(to: &writer)
        var again = StateReader(writer.bytes)
        check(LeadingEdge(restoring: &again) != nil, "an edge is restored as it was saved")
    }

    private static let fireMetrics = ["smoke", "temperature", "co"]

    private static func fire(_ reader: inout StateReader, _ input: inout Input) {
        guard var detector = FireDetector(metrics: fireMetrics, model: nil), detector.restore(from: &reader) else {
            return
        }
        for _ in 0..<32 where !input.isEmpty {
            let time = input.byte() & 7 == 0 ? input.number() : Int64(input.short()) * 1_000_000_000
            let found = detector.observe(input.values(3), at: Timestamp(nanoseconds: time))
            _ = detector.verdict(found, sensor: SensorID(0), at: Timestamp(nanoseconds: time))
            _ = detector.explain()
        }
        var writer = StateWriter()
        detector.save(to: &writer)
        var again = StateReader(writer.bytes)
        check(detector.restore(from: &again), "a fire detector is restored as it was saved")
    }
}

extension SensorStates {
    private static func row(_ number: Int, _ width: Int) -> [Double] {
        (0..<width).map { 20 + Double((number * (31 + 6 * $0)) % 17) / 8 + Double(number % (40 + $0)) / 100 }
    }

    private static func ensemble(rows: Int, width: Int, usesNovelty: Bool) -> SensorEnsemble {
        var ensemble = SensorEnsemble(usesNovelty: usesNovelty)
        var findings: [EnsembleFinding] = []
        let evidence: [Double] = []
        for number in 0..<rows {
            let values = row(number, width)
            ensemble.observe(
                time: Timestamp(nanoseconds: Int64(number) * 30_000_000_000), values: values.span,
                evidence: evidence.span,
                into: &findings)
        }
        return ensemble
    }

    /// Saved states of a little life.
    private static let bases: [[UInt8]] = {
        let rows = (0..<500).flatMap { row($0, 3) }
        var writers = [StateWriter](repeating: StateWriter(), count: 12)
        ensemble(rows: 60, width: 1, usesNovelty: true).save(to: &writers[0])
        ensemble(rows: 450, width: 3, usesNovelty: false).save(to: &writers[1])
        (try? AdaptiveChart(fitting: rows, width: 3))?.save(to: &writers[2])
        (try? AssetChart(fitting: rows, width: 3))?.save(to: &writers[3])
        (try? PrincipalSubspace(fitting: rows, width: 3))?.save(to: &writers[4])
        var novelty = NoveltyDetector()
        var shingles = ShingleSubspace(window: 4)
        var clusters = ShingleClusters(window: 4, centres: 3)
        var edge = LeadingEdge(span: 10)
        for number in 0..<300 {
            _ = novelty.observe(row(number, 1)[0])
            _ = shingles.observe(row(number, 1)[0])
            _ = clusters.observe(row(number, 1)[0])
            _ = edge.observe(Double(number % 7))
        }
        novelty.save(to: &writers[5])
        shingles.save(to: &writers[6])
        clusters.save(to: &writers[7])
        var forest = OnlineForest(names: ["a", "b"], settings: forestSettings)
        var scores: [Double] = []
        forest.observe(rows: (0..<40).flatMap { row($0, 2) }, into: &scores)
        forest.save(to: &writers[8])
        var gate = SuspicionGate()
        gate.note(1)
        gate.save(to: &writers[9])
        edge.save(to: &writers[10])
        var fire = FireDetector(metrics: fireMetrics, model: nil)
        for number in 0..<100 {
            _ = fire?.observe(row(number, 3), at: Timestamp(nanoseconds: Int64(number) * 1_000_000_000))
        }
        fire?.save(to: &writers[11])
        for (kind, writer) in writers.enumerated() { check(!writer.bytes.isEmpty, "state \(kind) can be made") }
        return writers.map(\.bytes)
    }()

    static var seeds: [[UInt8]] {
        bases.indices.flatMap { kind in
            [
                [UInt8(kind), 0] + [UInt8](repeating: 65, count: 80),
                [UInt8(kind), 1, 90, 0, 8, 0, 0, 0, 0, 0, 0, 0x59, 0x40] + [UInt8](repeating: 3, count: 80),
            ]
        }
    }
}
