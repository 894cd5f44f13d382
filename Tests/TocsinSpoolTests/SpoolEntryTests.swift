import Testing
import TocsinCore
import TocsinSpool

@Suite struct SpoolEntryTests {
    let known = KnownNames(sensors: 1000, metrics: 50, series: 3000)

    /// A batch of any shape, all columns within their rules.
    private func batch(_ random: inout Generator) -> Batch {
        let origin = Origin(
            source: SourceID(UInt16.random(in: 0...9, using: &random)), sourceName: "source ü",
            position: Int64.random(in: .min ... .max, using: &random),
            received: Timestamp(nanoseconds: Int64.random(in: 0 ... .max, using: &random)))
        var batch = Batch(origin: origin)
        if Bool.random(using: &random) {
            let next = Int64.random(in: 0 ... .max, using: &random)
            batch.origin.resume = ReadPosition(
                path: "/in/ä.csv", device: random.next(), number: random.next(), next: next)
        }
        batch.bytes = random.bytes(Int.random(in: 0...2000, using: &random))
        if Bool.random(using: &random) { batch.header = random.bytes(30) }
        let hasKeys = Bool.random(using: &random)
        let hasLabels = Bool.random(using: &random)
        let isNarrow = Bool.random(using: &random)
        let hasOneTime = Bool.random(using: &random)
        for _ in 0..<Int.random(in: 0...60, using: &random) {
            for _ in 0..<(isNarrow ? 1 : Int.random(in: 0...6, using: &random)) {
                batch.series.append(SeriesID(UInt32.random(in: 0..<3000, using: &random)))
                batch.values.append(Double(bitPattern: random.next()))
            }
            let time = hasOneTime ? 77 : Int64.random(in: .min ... .max, using: &random)
            batch.appendEvent(
                sensor: SensorID(UInt32.random(in: 0..<1000, using: &random)), time: Timestamp(nanoseconds: time),
                key: hasKeys ? random.next() : 0, payload: range(in: batch.bytes.count, &random),
                label: hasLabels ? EventLabel(rawValue: UInt8.random(in: 0...20, using: &random)) : .none)
        }
        if Bool.random(using: &random) {
            let starts = (0..<Int.random(in: 1...40, using: &random)).map { _ in
                UInt32.random(in: 0...UInt32(batch.bytes.count), using: &random)
            }
            batch.messageStarts = starts.sorted()
        }
        if Bool.random(using: &random) {
            let messages = messages(in: batch.bytes.count, &random)
            batch.messages = messages
            // As a decoder leaves them, and otherwise.
            if Bool.random(using: &random) { batch.messageStarts = messages.payloads.map(\.offset) }
        }
        for reason in DeadLetterReason.allCases where Bool.random(using: &random) {
            batch.rejects.append(
                Reject(
                    reason: reason, detail: "field \"é\"", payload: range(in: batch.bytes.count, &random),
                    count: Bool.random(using: &random) ? 1 : Int.random(in: 1...1 << 24, using: &random)))
        }
        return batch
    }

    private func messages(in count: Int, _ random: inout Generator) -> MessageBatch {
        var messages = MessageBatch()
        for _ in 0..<Int.random(in: 0...20, using: &random) { messages.payloads.append(range(in: count, &random)) }
        messages.payloads.sort { $0.offset < $1.offset }
        for number in 0..<Int.random(in: 0...4, using: &random) {
            var envelope = MessageEnvelope(topic: "ä/\(number)")
            if Bool.random(using: &random) { envelope.sensor = "s\(number)" }
            if Bool.random(using: &random) { envelope.topic = "ä//hall \(number % 2)/s\(number)/m" }
            if Bool.random(using: &random) { (envelope.metric, envelope.zone, envelope.unit) = ("m", "", "°C") }
            if Bool.random(using: &random) { envelope.fields = ["line": "7", "": "x"] }
            messages.envelopes.append(envelope)
        }
        for _ in messages.payloads where !messages.envelopes.isEmpty {
            messages.envelopeOfMessage.append(UInt32.random(in: 0...5, using: &random))
        }
        if Bool.random(using: &random) {
            messages.times = messages.payloads.map { _ in
                Timestamp(nanoseconds: Int64.random(in: .min ... .max, using: &random))
            }
        }
        return messages
    }

    private func expectSame(_ left: MessageBatch?, _ right: MessageBatch?) {
        #expect(left?.payloads == right?.payloads && left?.times == right?.times)
        #expect(left?.envelopes == right?.envelopes && left?.envelopeOfMessage == right?.envelopeOfMessage)
    }

    private func range(in count: Int, _ random: inout Generator) -> ByteRange {
        let offset = Int.random(in: 0...count, using: &random)
        return ByteRange(offset: offset, length: Int.random(in: 0...count - offset, using: &random))
    }

    private func names() -> NewNames {
        var names = NewNames(firstSensor: 999, firstMetric: 50, firstSeries: 3000)
        names.sensors = ["pump-7", ""]
        names.metrics = ["température"]
        names.series = [NewNames.Series(sensor: SensorID(1000), metric: MetricID(50))]
        names.units = [
            NewNames.Unit(series: SeriesID(3000), unit: "°C"), NewNames.Unit(series: SeriesID(1), unit: "%"),
        ]
        names.zones = [NewNames.Zone(sensor: SensorID(1000), zone: "hall 3")]
        return names
    }

    private func expectSame(_ left: Batch, _ right: Batch) {
        #expect(left.sensors == right.sensors && left.times == right.times && left.eventKeys == right.eventKeys)
        #expect(left.payloads == right.payloads && left.labels == right.labels)
        #expect(left.firstReading == right.firstReading && left.series == right.series)
        #expect(left.values.map(\.bitPattern) == right.values.map(\.bitPattern))
        #expect(left.bytes == right.bytes && left.header == right.header)
        #expect(left.rejects.map(\.reason) == right.rejects.map(\.reason))
        #expect(left.rejects.map(\.detail) == right.rejects.map(\.detail))
        #expect(left.rejects.map(\.payload) == right.rejects.map(\.payload))
        #expect(left.rejects.map(\.count) == right.rejects.map(\.count))
        #expect(left.origin.source == right.origin.source && left.origin.sourceName == right.origin.sourceName)
        #expect(left.origin.position == right.origin.position && left.origin.received == right.origin.received)
        #expect(left.origin.resume == right.origin.resume)
        #expect(left.messageStarts == right.messageStarts)
        expectSame(left.messages, right.messages)
    }

    @Test func batchesOfAnyShapeComeBackTheSame() throws {
        var random = Generator(seed: 3)
        var writer = StateWriter()
        for round in 0..<500 {
            let batch = batch(&random)
            let names = round % 3 == 0 ? names() : nil
            writer.removeAll()
            SpoolEntry.encode(batch, names: names, into: &writer)
            var known = known
            guard case .batch(let decoded, let found) = SpoolEntry(decoding: writer.bytes[...], known: &known) else {
                Issue.record("round \(round) does not decode")
                continue
            }
            expectSame(batch, decoded)
            #expect(found == names)
            #expect(known == (names == nil ? self.known : KnownNames(sensors: 1001, metrics: 51, series: 3001)))
            let raw = try #require(SpoolEntry.rawInput(of: writer.bytes[...]))
            #expect(
                raw.bytes == batch.bytes && raw.header == batch.header && raw.origin.position == batch.origin.position)
            expectSame(raw.messages, batch.messages)
            #expect(raw.messages?.bytes == (batch.messages == nil ? nil : batch.bytes))
        }
    }

    @Test func whatIsKnownOfAMessageTakesLittleRoom() {
        var batch = Batch(
            origin: Origin(
                source: SourceID(1), sourceName: "plant", position: 0, received: Timestamp(seconds: 1_700_000_000)))
        var messages = MessageBatch()
        for number in 0..<1000 {
            messages.payloads.append(ByteRange(offset: number * 100, length: 99))
            messages.envelopeOfMessage.append(UInt32(number))
            let time = Timestamp(seconds: 1_700_000_000).advanced(by: Span64(nanoseconds: Int64(number) * 1000))
            messages.times.append(time)
            var envelope = MessageEnvelope(topic: "plant/hall-\(number / 250)/line-7/sensor-\(number)/temperature")
            (envelope.sensor, envelope.metric, envelope.zone) = (
                "sensor-\(number)", "temperature", "hall-\(number / 250)"
            )
            messages.envelopes.append(envelope)
        }
        batch.bytes = Array(repeating: 0, count: 100_000)
        var writer = StateWriter()
        SpoolEntry.encode(batch, names: nil, into: &writer)
        let without = writer.bytes.count
        batch.messages = messages
        batch.messageStarts = messages.payloads.map(\.offset)
        writer.removeAll()
        SpoolEntry.encode(batch, names: nil, into: &writer)
        #expect((writer.bytes.count - without) / 1000 < 30)
    }

    @Test func theOtherEntriesComeBackTheSame() {
        var known = KnownNames()
        var writer = StateWriter()
        SpoolEntry.tick(Timestamp(nanoseconds: -5)).encode(into: &writer)
        guard case .tick(let time) = SpoolEntry(decoding: writer.bytes[...], known: &known) else {
            Issue.record("no tick")
            return
        }
        #expect(time.nanoseconds == -5)
        for source in [nil, SourceID(0), SourceID(7)] {
            writer.removeAll()
            SpoolEntry.endOfInput(source).encode(into: &writer)
            guard case .endOfInput(let found) = SpoolEntry(decoding: writer.bytes[...], known: &known) else {
                Issue.record("no end")
                return
            }
            #expect(found == source)
        }
    }

    @Test func sensorsThatMoveComeBackTheSame() {
        var random = Generator(seed: 8)
        for round in 0..<50 {
            var known = KnownNames()
            var writer = StateWriter()
            SpoolEntry.release(SourceID(UInt16(round))).encode(into: &writer)
            guard case .release(let source) = SpoolEntry(decoding: writer.bytes[...], known: &known) else {
                Issue.record("no release")
                return
            }
            #expect(source.index == UInt16(round))
            let position = ReadPosition(path: "kafka:tö/3", device: 0, number: random.next(), next: Int64(round))
            let adopted = AdoptedSensors(
                source: SourceID(7), received: Timestamp(nanoseconds: -Int64(round)),
                transfer: SensorTransfer(
                    position: round % 3 == 0 ? nil : position, bytes: random.bytes(round * 10)))
            writer.removeAll()
            SpoolEntry.adopt(adopted).encode(into: &writer)
            guard case .adopt(let found) = SpoolEntry(decoding: writer.bytes[...], known: &known) else {
                Issue.record("no adoption")
                return
            }
            #expect(found.source == adopted.source && found.received == adopted.received)
            #expect(found.transfer.position == adopted.transfer.position)
            #expect(found.transfer.bytes == adopted.transfer.bytes)
            for count in 0..<writer.bytes.count {
                if SpoolEntry(decoding: writer.bytes[..<count], known: &known) != nil {
                    Issue.record("cut at \(count)")
                }
            }
        }
    }

    @Test func idsBeyondTheKnownAndGapsInNamesAreRefused() {
        var batch = Batch(
            origin: Origin(source: SourceID(0), sourceName: "", position: 0, received: Timestamp(nanoseconds: 0)))
        batch.series = [SeriesID(4)]
        batch.values = [1]
        batch.appendEvent(
            sensor: SensorID(3), time: Timestamp(nanoseconds: 1), key: 0, payload: ByteRange(offset: 0, length: 0),
            label: .none)
        var writer = StateWriter()
        SpoolEntry.encode(batch, names: nil, into: &writer)
        for (sensors, series, isKnown) in [(4, 5, true), (3, 5, false), (4, 4, false), (0, 0, false)] {
            var known = KnownNames(sensors: sensors, metrics: 1, series: series)
            #expect((SpoolEntry(decoding: writer.bytes[...], known: &known) != nil) == isKnown)
        }
        #expect(SpoolEntry.rawInput(of: writer.bytes[...]) != nil, "can be decoded again")
        writer.removeAll()
        SpoolEntry.encode(batch, names: NewNames(firstSensor: 6, firstMetric: 0, firstSeries: 0), into: &writer)
        var names = NewNames(firstSensor: 6)
        names.sensors = ["a"]
        writer.removeAll()
        SpoolEntry.encode(batch, names: names, into: &writer)
        var known = KnownNames(sensors: 5, metrics: 1, series: 5)
        #expect(SpoolEntry(decoding: writer.bytes[...], known: &known) == nil, "sensor 5 has no name")
        #expect(known.sensors == 5)
    }

    /// Decoded as text, what a newer program wrote as messages would be something else.
    @Test func inputOfUnknownFormIsNotDecodedAgain() {
        var batch = Batch(
            origin: Origin(source: SourceID(0), sourceName: "", position: 0, received: Timestamp(nanoseconds: 0)))
        batch.bytes = [1, 2, 3, 4]
        func encoded(_ payloads: [ByteRange]) -> [UInt8] {
            var messages = MessageBatch()
            messages.payloads = payloads
            batch.messages = messages
            batch.messageStarts = payloads.map(\.offset)
            var writer = StateWriter()
            SpoolEntry.encode(batch, names: nil, into: &writer)
            return writer.bytes
        }
        let first = ByteRange(offset: 0, length: 2)
        let second = ByteRange(offset: 2, length: 2)
        let sound = encoded([first, second])
        #expect(SpoolEntry.rawInput(of: sound[...])?.messages?.count == 2)
        for flag in 8..<16 {
            var bytes = sound
            bytes[1 + flag / 8] |= 1 << UInt8(flag % 8)
            #expect(SpoolEntry.rawInput(of: bytes[...]) == nil, "flag \(flag)")
        }
        batch.bytes = []
        #expect(SpoolEntry.rawInput(of: encoded([first, second])[...]) == nil, "messages beyond the bytes")
    }

    @Test func damagedBytesNeverTrap() {
        var random = Generator(seed: 4)
        var sound = 0
        for round in 0..<200 {
            var writer = StateWriter()
            SpoolEntry.encode(batch(&random), names: round % 2 == 0 ? names() : nil, into: &writer)
            for _ in 0..<100 {
                var bytes = writer.bytes
                bytes[Int.random(in: 0..<bytes.count, using: &random)] ^= UInt8(
                    1 << Int.random(in: 0...7, using: &random))
                if round % 5 == 0 { bytes = Array(bytes.prefix(Int.random(in: 0...bytes.count, using: &random))) }
                check(bytes, &sound)
            }
        }
        for kind in 0...8 as ClosedRange<UInt8> {
            for _ in 0..<2000 { check([kind] + random.bytes(Int.random(in: 0...200, using: &random)), &sound) }
        }
        #expect(sound > 0, "a flipped bit of a value is no fault of form")
    }

    /// What decodes must be usable without a check.
    private func check(_ bytes: [UInt8], _ sound: inout Int) {
        var known = known
        _ = SpoolEntry.rawInput(of: bytes[...])
        guard case .batch(let batch, _) = SpoolEntry(decoding: bytes[...], known: &known) else { return }
        sound += 1
        var readings = 0
        for event in 0..<batch.eventCount {
            readings += batch.readings(of: event).count
            if batch.payloads[event].range.upperBound > batch.bytes.count { Issue.record("payload beyond the bytes") }
            if Int(batch.sensors[event].index) >= known.sensors { Issue.record("unknown sensor") }
        }
        if batch.series.contains(where: { Int($0.index) >= known.series }) { Issue.record("unknown series") }
        if readings != batch.readingCount || batch.series.count != batch.values.count { Issue.record("columns differ") }
    }
}
