import Foundation
import Testing
import TocsinCore
import TocsinEngine
import TocsinSpool
import TocsinTestKit

/// Sensors that move between engines give what one engine gives that has them all.
@Suite struct HandoverTests {
    /// A group of processes that share the sources.
    private struct Group {
        let stream: HandoverStream
        let order: EventOrdering
        var random: Mixer
        var lives: [HandoverLife] = []
        var places: [RecoveryPlace] = []
        /// By source: who has it.
        var owners: [Int] = []
        var results = HandoverResults()
        var hasCrashed = false
        var moves = 0

        init(seed: UInt64, order: EventOrdering, offset: Int64 = 0, processes: Int = 2) async throws {
            stream = HandoverStream(hasLate: order == .arrival, offset: offset)
            self.order = order
            random = Mixer(seed: seed)
            for _ in 0..<processes {
                let place = try RecoveryPlace()
                places.append(place)
                lives.append(
                    try await HandoverLife(place, shards: Int(random.next(below: 2)) + 1, order: order))
            }
            owners = (0..<HandoverStream.sources).map { _ in Int(random.next(below: UInt64(processes))) }
        }

        /// The number that a source has in a process: not the same everywhere.
        func number(_ source: Int, in life: Int) -> UInt16 { UInt16((source + 3 * life) % 7) }

        mutating func feed(_ source: Int, second: Int) async throws {
            let owner = owners[source]
            let batch = stream.batch(
                source, second: second, number: number(source, in: owner), table: lives[owner].table)
            _ = try await lives[owner].engine.enqueue(batch)
        }

        /// A process ends without notice, and the next one takes up its work.
        mutating func crash(_ life: Int, at seconds: [Int]) async throws {
            hasCrashed = true
            if random.next(below: 2) == 0 { await lives[life].save() }
            try await lives[life].durability?.spool.flush()
            // The spool lets go of files meanwhile.
            var successor = try? places[life].copy()
            while successor == nil { successor = try? places[life].copy() }
            guard let successor else { return }
            try await lives[life].end(isWhole: false)
            results.add(lives[life].store, lives[life].table)
            places[life] = successor
            lives[life] = try await HandoverLife(successor, shards: Int(random.next(below: 2)) + 1, order: order)
            for source in owners.indices {
                let expected = owners[source] == life && seconds[source] > 0 ? Int64(seconds[source]) : nil
                #expect(lives[life].positions["part \(source)"]?.next == expected, "the position of part \(source)")
            }
        }

        mutating func move(_ source: Int, at seconds: [Int], crashes: Bool) async throws {
            let from = owners[source]
            let to = (from + 1 + Int(random.next(below: UInt64(lives.count - 1)))) % lives.count
            moves += 1
            let (old, new) = (SourceID(number(source, in: from)), SourceID(number(source, in: to)))
            if crashes, random.next(below: 3) == 0 { try await crash(from, at: seconds) }
            // Checkpoints may be under way.
            for life in lives where random.next(below: 3) == 0 { life.engine.saveNow() }
            var transfer: SensorTransfer
            switch random.next(below: 3) {
            case 0:
                transfer = try await lives[from].engine.transfer(of: old, isGivenUp: true)
                owners[source] = -1
            case 1:
                transfer = try await lives[from].engine.transfer(of: old, isGivenUp: false)
                try await lives[from].engine.forget(old)
                owners[source] = -1
            default:
                // A copy is kept, and the process ends before anybody has got what it gives up.
                transfer = try await lives[from].engine.transfer(of: old, isGivenUp: false)
                _ = try await lives[from].engine.transfer(of: old, isGivenUp: true)
                owners[source] = -1
                if crashes { try await crash(from, at: seconds) }
            }
            #expect(transfer.position?.next == (seconds[source] > 0 ? Int64(seconds[source]) : nil))
            if crashes, random.next(below: 4) == 0 { try await crash(from, at: seconds) }
            transfer = SensorTransfer(position: transfer.position, bytes: transfer.bytes)
            try await lives[to].engine.adopt(transfer, as: new)
            owners[source] = to
            if crashes, random.next(below: 4) == 0 { try await crash(to, at: seconds) }
        }
    }

    /// One engine that has everything.
    private func whole(_ order: EventOrdering) async throws -> HandoverResults {
        let stream = HandoverStream(hasLate: order == .arrival)
        let life = try await HandoverLife(nil, shards: 2, order: order)
        for second in 0..<HandoverStream.seconds {
            for source in 0..<HandoverStream.sources {
                _ = try await life.engine.enqueue(
                    stream.batch(source, second: second, number: UInt16(source), table: life.table))
            }
            if second == 150 { _ = try await life.engine.take(Self.word(of: 1)).wait() }
        }
        try await life.end(isWhole: true)
        var results = HandoverResults()
        results.add(life.store, life.table)
        return results
    }

    /// What a person says of the spikes of a sensor.
    private static func word(of source: Int) -> Feedback {
        Feedback(
            word: .falseAlarm, alarmID: "none", sensor: "sensor \(source).1", metric: "temperature", kind: .spike,
            score: 0.99, start: HandoverStream.start, end: HandoverStream.start, given: HandoverStream.start)
    }

    private func split(_ seed: UInt64, _ order: EventOrdering, crashes: Bool) async throws -> Group {
        var group = try await Group(seed: seed, order: order)
        var seconds = Array(repeating: 0, count: HandoverStream.sources)
        for second in 0..<HandoverStream.seconds {
            for source in 0..<HandoverStream.sources {
                try await group.feed(source, second: second)
                seconds[source] = second + 1
                if group.random.next(below: crashes ? 160 : 40) == 0 {
                    let moved = Int(group.random.next(below: UInt64(HandoverStream.sources)))
                    try await group.move(moved, at: seconds, crashes: crashes)
                }
            }
            if second == 150 {
                _ = try await group.lives[group.owners[1]].engine.take(Self.word(of: 1)).wait()
            }
        }
        try await end(&group)
        return group
    }

    private func end(_ group: inout Group) async throws {
        for life in group.lives {
            try await life.end(isWhole: true)
            group.results.add(life.store, life.table)
            let metrics = life.engine.metrics.snapshot
            #expect(
                metrics.received == metrics.stored + metrics.late + metrics.duplicate + metrics.deadLettered
                    + metrics.spooled + metrics.handedOver)
            #expect(metrics.spooled == 0)
        }
        let sensors = group.lives.map(\.engine.directory.sensorCount)
        #expect(sensors.reduce(0, +) == HandoverStream.sources * HandoverStream.sensors, "sensors \(sensors)")
    }

    /// Sources hours apart, each at its own pace: one engine, or several between which they move at random.
    private func apart(_ seed: UInt64, processes: Int, offset: Int64, crashes: Bool) async throws -> Group {
        var group = try await Group(seed: seed, order: .arrival, offset: offset, processes: processes)
        var seconds = Array(repeating: 0, count: HandoverStream.sources)
        while let least = seconds.min(), least < HandoverStream.seconds {
            let source = Int(group.random.next(below: UInt64(HandoverStream.sources)))
            for _ in 0...group.random.next(below: 12) where seconds[source] < HandoverStream.seconds {
                try await group.feed(source, second: seconds[source])
                seconds[source] += 1
            }
            if processes > 1, group.random.next(below: crashes ? 30 : 8) == 0 {
                let moved = Int(group.random.next(below: UInt64(HandoverStream.sources)))
                try await group.move(moved, at: seconds, crashes: crashes)
            }
        }
        try await end(&group)
        return group
    }

    @Test(arguments: [0, 7, 3 * 3600, -2 * 3600] as [Int64])
    func sourcesAtDifferentTimesGiveTheSameRowsWhereverTheyAre(offset: Int64) async throws {
        let whole = try await apart(1, processes: 1, offset: offset, crashes: false).results
        for kind in ["spike", "silence", "stuck", "drift", "fire"] {
            #expect(whole.anomalies.contains { $0.contains(".\(kind)") }, "no \(kind)")
        }
        #expect(whole.fates.contains { $0.hasSuffix("late") })
        // Neither how the sources take turns nor where they are is in the rows.
        var moves = 0
        for (seed, processes) in [(2, 1), (3, 2), (4, 2), (5, 2), (6, 3), (7, 3), (8, 3)] as [(UInt64, Int)] {
            let group = try await apart(seed, processes: processes, offset: offset, crashes: false)
            moves += group.moves
            let differences = group.results.differences(from: whole, counts: true)
            #expect(
                differences.isEmpty,
                "seed \(seed), \(processes) engines: \(differences.count) rows, \(Self.few(differences))")
            if !differences.isEmpty { return }
        }
        #expect(moves > 60)
        for seed in 21...24 as ClosedRange<UInt64> {
            let group = try await apart(seed, processes: 2, offset: offset, crashes: true)
            let differences = group.results.differences(from: whole, counts: !group.hasCrashed)
            #expect(differences.isEmpty, "seed \(seed): \(differences.count) rows, \(Self.few(differences))")
            if !differences.isEmpty { return }
        }
    }

    @Test(arguments: [EventOrdering.arrival, .event])
    func movedSensorsGiveWhatOneEngineGives(order: EventOrdering) async throws {
        let whole = try await whole(order)
        for kind in ["spike", "silence", "stuck", "drift", "fire"] {
            #expect(whole.anomalies.contains { $0.contains(".\(kind)") }, "no \(kind)")
        }
        #expect(whole.windows.count > 1000)
        var moves = 0
        for seed in 1...35 as ClosedRange<UInt64> {
            let group = try await split(seed, order, crashes: false)
            moves += group.moves
            let differences = group.results.differences(from: whole, counts: true)
            #expect(differences.isEmpty, "seed \(seed): \(differences.count) rows, \(Self.few(differences))")
            if !differences.isEmpty { return }
        }
        #expect(moves > 300)
    }

    @Test(arguments: [EventOrdering.arrival, .event])
    func soTheyDoWhenProcessesEndWithoutNotice(order: EventOrdering) async throws {
        let whole = try await whole(order)
        for seed in 101...115 as ClosedRange<UInt64> {
            let group = try await split(seed, order, crashes: true)
            // What is worked through again is written again over itself.
            let differences = group.results.differences(from: whole, counts: !group.hasCrashed)
            #expect(differences.isEmpty, "seed \(seed): \(differences.count) rows, \(Self.few(differences))")
            if !differences.isEmpty { return }
        }
    }

    private static func few(_ texts: [String]) -> String { (texts.prefix(2) + texts.suffix(2)).joined(separator: "\n") }

    /// A process that has caught up takes sensors of one that lags behind by an hour: nothing of theirs is late, and
    /// none of them silent, because of that.
    @Test func sensorsOfAStreamThatLagsGoOnAsBefore() async throws {
        let stream = HandoverStream(hasLate: false)
        let whole = try await HandoverLife(nil, shards: 1, order: .arrival)
        let behind = try await HandoverLife(nil, shards: 2, order: .arrival)
        let ahead = try await HandoverLife(nil, shards: 2, order: .arrival)
        for second in 0..<170 {
            for life in [whole, second < 100 ? behind : ahead] {
                if second == 100, life === ahead {
                    let transfer = try await behind.engine.transfer(of: SourceID(0), isGivenUp: true)
                    try await ahead.engine.adopt(transfer, as: SourceID(3))
                }
                let batch = stream.batch(0, second: second, number: life === ahead ? 3 : 0, table: life.table)
                _ = try await life.engine.enqueue(batch)
            }
            _ = try await ahead.engine.enqueue(
                stream.batch(1, second: 3600 + second, number: 1, table: ahead.table))
        }
        for life in [whole, behind, ahead] { try await life.end(isWhole: true) }
        var (one, two) = (HandoverResults(), HandoverResults())
        one.add(whole.store, whole.table)
        two.add(behind.store, behind.table)
        two.add(ahead.store, ahead.table)
        let own = { (row: String) in row.contains("sensor 0.") }
        #expect(one.windows.sorted() == two.windows.filter(own).sorted())
        #expect(one.fates.sorted() == two.fates.filter(own).sorted())
        let isSilence = { (anomaly: Anomaly) in anomaly.kind == .silence && anomaly.sensor.hasPrefix("sensor 0.") }
        let silences = [whole.store, ahead.store].map { $0.anomalies.filter(isSilence).map(\.start) }
        #expect(silences[0] == silences[1] && silences[0].count == 1)
    }
}
