internal import TocsinCore
internal import TocsinSpool

/// The spool. The first byte chooses: a record's payload; a segment file as it is; a segment file built of records
/// whose checksums hold, with bytes changed afterwards.
enum SpoolTarget {
    private static let id: UInt64 = 0x1122_3344_5566_7788
    private static let path = "spool/segment-00000000000000000001.spool"

    static func run(_ input: [UInt8]) {
        var input = Input(input)
        switch input.byte() % 4 {
        case 0: readEntry(input.all(), KnownNames())
        case 1: readEntry(input.all(), KnownNames(sensors: 3, metrics: 3, series: 3))
        case 2: open(header + input.all())
        default: open(built(&input))
        }
    }

    /// What is accepted says the same after saving.
    private static func readEntry(_ bytes: [UInt8], _ known: KnownNames) {
        _ = SpoolEntry.rawInput(of: bytes[...])
        var counts = known
        guard let entry = SpoolEntry(decoding: bytes[...], known: &counts) else {
            check(counts == known, "a refused entry leaves no names")
            return
        }
        if case .batch(let batch, _) = entry {
            check(batch.sensors.allSatisfy { $0.index < counts.sensors }, "sensors are known")
            check(batch.series.allSatisfy { $0.index < counts.series }, "series are known")
            check(
                batch.firstReading.count == batch.eventCount + 1
                    && batch.firstReading.last == UInt32(batch.readingCount), "readings follow")
            let ranges = batch.payloads + batch.rejects.map(\.payload)
            check(ranges.allSatisfy { $0.range.upperBound <= batch.bytes.count }, "payloads lie in the bytes")
        }
        var writer = StateWriter()
        entry.encode(into: &writer)
        var countsAgain = known
        guard let again = SpoolEntry(decoding: writer.bytes[...], known: &countsAgain) else {
            fatalError("broken promise: an entry that was read can be saved and read")
        }
        var second = StateWriter()
        again.encode(into: &second)
        check(second.bytes == writer.bytes && counts == countsAgain, "saving changes nothing")
    }

    /// Opening reads what is sound; what was read once is read again after closing, and appending works.
    private static func open(_ file: [UInt8]) {
        let files = MemoryFiles([path: file, "spool/segment-00000000000000000900.spool": Array(file.dropFirst(3))])
        var settings = SpoolSettings()
        settings.isDurable = false
        guard let (spool, recovery) = try? Spool.open(folder: "spool", settings: settings, files: files) else { return }
        check(recovery.records <= file.count / 12, "no record without bytes")
        let records = read(spool)
        let added = try? spool.append([1, 2, 3])
        close(spool)
        guard let (second, _) = try? Spool.open(folder: "spool", settings: settings, files: files) else {
            fatalError("broken promise: what was opened once opens again")
        }
        var again = read(second)
        if let added {
            check(again.last == SpoolRecord(sequence: added, payload: [1, 2, 3]), "what is appended is there")
            again.removeLast()
        }
        check(again == records, "no record comes or goes\n\(records)\n\(again)")
        close(second)
    }

    private static func read(_ spool: Spool) -> [SpoolRecord] {
        let reader = spool.read(from: 1)
        var records: [SpoolRecord] = []
        while let record = try? reader.next() {
            check(record.sequence > records.last?.sequence ?? 0, "numbers grow")
            records.append(record)
        }
        return records
    }

    private static func close(_ spool: Spool) { _ = wait { await spool.close() } }

    private static var header: [UInt8] {
        var writer = StateWriter()
        writer.write("TOCSINSP")
        writer.write(UInt32(1))
        writer.write(UInt32(0))
        writer.write(id)
        writer.write(UInt64(1))
        writer.write(UInt32(0))
        writer.write(CRC32C.of(writer.bytes.span))
        return writer.bytes
    }

    /// Records: kind, step of the sequence (word where 255), length claimed more, length, payload. After 64 records or a
    /// kind of 7: changed bytes.
    private static func built(_ input: inout Input) -> [UInt8] {
        var bytes = header
        var salt = StateWriter()
        salt.write(id)
        let start = CRC32C.of(salt.bytes.span)
        var sequence: UInt64 = 0
        for _ in 0..<64 where !input.isEmpty {
            let kind = input.byte() & 7
            if kind == 7 { break }
            let step = input.byte()
            sequence = step == 255 ? input.word() : sequence &+ UInt64(step)
            let more = input.byte()
            let payload = input.bytes(Int(input.byte()))
            var writer = StateWriter()
            writer.write(kind == 1 ? UInt32(0x494f_5654) : 0x4345_5254)
            writer.write(more == 255 ? UInt32(truncatingIfNeeded: input.word()) : UInt32(payload.count) + UInt32(more))
            writer.write(sequence)
            writer.write(kind == 2 ? UInt32(0) : CRC32C.of(payload.span))
            writer.write(CRC32C.of(writer.bytes.span, after: start))
            writer.write(raw: payload)
            bytes += writer.bytes
            while bytes.count % 8 != 0, kind != 3 { bytes.append(0) }
        }
        while !input.isEmpty {
            let place = input.short()
            if place < bytes.count { bytes[place] = input.byte() }
        }
        return bytes
    }

    static var seeds: [[UInt8]] {
        var batch = Batch(
            origin: Origin(
                source: SourceID(1), sourceName: "http", position: 9, received: Timestamp(nanoseconds: 5),
                resume: ReadPosition(path: "a", device: 1, number: 2, next: 3)))
        batch.bytes = Array(#"{"id":"s","ts":1,"t":2}"#.utf8)
        for event in 0..<3 {
            batch.series.append(SeriesID(UInt32(event)))
            batch.values.append(21.5)
            if event == 1 {
                batch.series.append(SeriesID(2))
                batch.values.append(-1)
            }
            batch.appendEvent(
                sensor: SensorID(UInt32(event)), time: Timestamp(nanoseconds: Int64(event) * 1000), key: UInt64(event),
                payload: ByteRange(offset: event, length: 4), label: event == 2 ? .anomalous : .none)
        }
        batch.rejects = [Reject(reason: .malformed, detail: "x", payload: ByteRange(offset: 1, length: 2))]
        var names = NewNames()
        names.sensors = ["a", "b", "c"]
        names.metrics = ["t"]
        names.series = (0..<3).map { NewNames.Series(sensor: SensorID($0), metric: MetricID(0)) }
        names.units = [NewNames.Unit(series: SeriesID(1), unit: "C")]
        names.zones = [NewNames.Zone(sensor: SensorID(1), zone: "hall")]
        let entries: [SpoolEntry] = [
            .batch(batch, names: names), .batch(Batch(origin: batch.origin), names: nil),
            .tick(Timestamp(nanoseconds: 77)), .endOfInput(SourceID(3)), .endOfInput(nil),
        ]
        let plain = entries.map { entry in
            var writer = StateWriter()
            entry.encode(into: &writer)
            return [0] + writer.bytes
        }
        return plain + [
            [1] + plain[0].dropFirst(), [2], [3, 0, 1, 0, 2, 9, 8, 0, 1, 0, 1, 7],
            [3, 0, 1, 0, 2, 9, 8, 1, 200, 0, 0, 0, 1, 0, 5, 1, 2, 3, 4, 5, 7, 60, 0, 1],
        ]
    }
}
