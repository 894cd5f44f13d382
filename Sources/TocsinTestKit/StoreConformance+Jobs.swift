internal import Testing
internal import TocsinCore

// Jobs, quality reports, checkpoints: small records that are written over by their key.
extension StoreConformance {
    func jobs(_ store: any Store) async throws {
        func job(_ id: String, _ name: String, started: Int64) -> JobRecord {
            JobRecord(id: id, name: name, state: .running, started: StoreInput.second(started))
        }
        let training = job("train-10", "train", started: 10)
        try await store.saveJob(job("etl-30", "etl", started: 30))
        try await store.saveJob(training)
        try await store.saveJob(job("etl-20", "etl", started: 20))
        // Of the same start, the higher id first.
        try await store.saveJob(job("etl-20b", "etl", started: 20))
        #expect(try await store.jobs(name: nil, limit: 10).map(\.id) == ["etl-30", "etl-20b", "etl-20", "train-10"])
        #expect(try await store.jobs(name: "etl", limit: 2).map(\.id) == ["etl-30", "etl-20b"])
        #expect(try await store.jobs(name: "train", limit: 10) == [training])
        #expect(try await store.jobs(name: "it's none", limit: 10).isEmpty)
        #expect(try await store.jobs(name: nil, limit: 0).isEmpty)
        #expect(try await store.jobs(name: nil, limit: -1).isEmpty)
        for state in JobRecord.State.allCases {
            var changed = training
            changed.state = state
            changed.finished = StoreInput.second(99)
            changed.progress = 0.625
            changed.summary = #"{"rows":7,"what":"Größe"}"#
            changed.error = "the disk is full: free \"space\""
            try await store.saveJob(changed)
            #expect(try await store.jobs(name: "train", limit: 10) == [changed])
        }
        try await store.saveJob(training)
        #expect(try await store.jobs(name: "train", limit: 10) == [training])
        #expect(try await store.statistics().rows["jobs"] == 4)
    }

    func qualityReports(_ store: any Store) async throws {
        func report(_ id: String, _ subject: String, created: Int64) -> QualityReport {
            QualityReport(
                id: id, subject: subject, created: StoreInput.second(created), start: StoreInput.second(0),
                end: StoreInput.second(3600), rowsIn: 5_000_000_000, rowsOut: 4_999_999_999, exceedsLimit: false,
                rules: #"{"duplicate":1}"#)
        }
        let first = report("silver-0", "silver", created: 10)
        try await store.saveQualityReport(first)
        try await store.saveQualityReport(report("silver-1", "silver", created: 30))
        try await store.saveQualityReport(report("gold-0", "gold", created: 20))
        #expect(
            try await store.qualityReports(subject: nil, limit: 10).map(\.id) == ["silver-1", "gold-0", "silver-0"])
        #expect(try await store.qualityReports(subject: "silver", limit: 1).map(\.id) == ["silver-1"])
        #expect(try await store.qualityReports(subject: "silver", limit: 10).last == first)
        #expect(try await store.qualityReports(subject: "bronze", limit: 10).isEmpty)
        #expect(try await store.qualityReports(subject: nil, limit: 0).isEmpty)
        var again = report("silver-0", "silver", created: 40)
        again.exceedsLimit = true
        again.rules = "{}"
        try await store.saveQualityReport(again)
        #expect(try await store.qualityReports(subject: "silver", limit: 10).first == again)
        #expect(try await store.qualityReports(subject: nil, limit: 10).count == 3)
        #expect(try await store.statistics().rows["quality_reports"] == 3)
    }

    func checkpoints(_ store: any Store) async throws {
        func checkpoint(_ name: String, _ sequence: Int64, _ data: [UInt8] = [1]) -> CheckpointRecord {
            CheckpointRecord(
                name: name, sequence: sequence, created: StoreInput.second(sequence % 1000), format: "partition/1",
                data: data)
        }
        #expect(try await store.checkpoint(name: "a") == nil)
        try await store.saveCheckpoint(checkpoint("a", 1))
        try await store.saveCheckpoint(checkpoint("b", 9, []))
        #expect(try await store.checkpoint(name: "a") == checkpoint("a", 1))
        #expect(try await store.checkpoint(name: "b")?.data == [])
        let large = checkpoint("a", 2, Array(repeating: 0xff, count: 3_000_000) + [0])
        try await store.saveCheckpoint(large)
        #expect(try await store.checkpoint(name: "a") == large)
        // A sequence that is there already is written over; an old one that comes late is not the newest.
        try await store.saveCheckpoint(checkpoint("a", 2, [7]))
        #expect(try await store.checkpoint(name: "a")?.data == [7])
        try await store.saveCheckpoint(checkpoint("a", 5))
        try await store.saveCheckpoint(checkpoint("a", 3))
        #expect(try await store.checkpoint(name: "a")?.sequence == 5)
        try await store.saveCheckpoint(checkpoint("a", .max))
        #expect(try await store.checkpoint(name: "a")?.sequence == .max)
        #expect(try await store.checkpoint(name: "b")?.sequence == 9)
        // Two of "a", one of "b".
        #expect(try await store.statistics().rows["checkpoints"] == 3)
    }
}
