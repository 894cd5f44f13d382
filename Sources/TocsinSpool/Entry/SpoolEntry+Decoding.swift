internal import TocsinCore

extension SpoolEntry {
    /// The input of a batch record alone, for a batch whose ids have lost their names; nil for other or unsound bytes, and
    /// for a newer program's.
    public static func rawInput(of payload: ArraySlice<UInt8>) -> RawInput? {
        var reader = StateReader(payload)
        guard reader.read(UInt8.self) == Kind.batch.rawValue, var (_, input) = decodeInput(&reader) else { return nil }
        input.messages?.bytes = input.bytes
        return input
    }

    /// Flags and input; its messages have no bytes yet.
    private static func decodeInput(_ reader: inout StateReader) -> (columns: BatchColumns, input: RawInput)? {
        // What an unknown flag stands for may change what the bytes mean.
        guard let flags = reader.read(UInt16.self), BatchColumns.all.rawValue & flags == flags,
            let source = reader.read(UInt16.self), let name = reader.readText(),
            let position = reader.read(Int64.self), let received = reader.readTimestamp(),
            let isRepeatable = reader.readFlag()
        else { return nil }
        let resume = isRepeatable ? ReadPosition(restoring: &reader) : nil
        guard !isRepeatable || resume != nil, let header = reader.readBlob(), let bytes = reader.readBlob(),
            bytes.count <= Int(UInt32.max)
        else { return nil }
        let origin = Origin(
            source: SourceID(source), sourceName: name, position: position, received: received,
            resume: resume)
        var input = RawInput(bytes: Array(bytes), header: Array(header), origin: origin)
        let columns = BatchColumns(rawValue: flags)
        if columns.contains(.envelopes) {
            guard let messages = MessageBatch(&reader, bound: bytes.count) else { return nil }
            input.messages = messages
        }
        return (columns, input)
    }

    static func decodeBatch(
        _ reader: inout StateReader, _ known: KnownNames
    ) -> (batch: Batch, names: NewNames?, known: KnownNames)? {
        guard let (columns, input) = decodeInput(&reader) else { return nil }
        var known = known
        var names: NewNames?
        if columns.contains(.names) {
            names = NewNames(&reader, known: &known)
            if names == nil { return nil }
        }
        var batch = Batch(origin: input.origin)
        batch.bytes = input.bytes
        batch.header = input.header
        // An event takes at least its sensor's 4 bytes and a reading 12, so counts cannot ask for much memory.
        guard let events = reader.readCount(of: 4), let readings = reader.readCount(of: 12),
            let sensors = reader.readIDs(events, below: known.sensors),
            let times = decodeTimes(&reader, events, isConstant: !columns.contains(.times)),
            let keys = columns.contains(.eventKeys)
                ? reader.readNumbers(events, of: UInt64.self) : Array(repeating: 0, count: events),
            let labels = columns.contains(.labels)
                ? reader.readNumbers(events, of: UInt8.self) : Array(repeating: 0, count: events),
            let firsts = decodeFirsts(&reader, events, readings, isOneEach: !columns.contains(.readingCounts)),
            let payloads = decodePayloads(&reader, events, bound: batch.bytes.count),
            let series = reader.readIDs(readings, below: known.series),
            let values = reader.readNumbers(readings, of: UInt64.self),
            let rejects = decodeRejects(
                &reader, bound: batch.bytes.count, haveCounts: columns.contains(.rejectCounts)),
            let starts = columns.contains(.messages) ? decodeStarts(&reader, bound: batch.bytes.count) : []
        else { return nil }
        batch.sensors = sensors.map(SensorID.init)
        batch.times = times
        batch.eventKeys = keys
        batch.labels = labels.map(EventLabel.init(rawValue:))
        batch.firstReading = firsts
        batch.payloads = payloads
        batch.series = series.map(SeriesID.init)
        batch.values = values.map { Double(bitPattern: $0) }
        batch.rejects = rejects
        batch.messages = input.messages
        batch.messageStarts = columns.contains(.messages) ? starts : input.messages?.payloads.map(\.offset) ?? []
        return (batch, names, known)
    }

    private static func decodeTimes(_ reader: inout StateReader, _ events: Int, isConstant: Bool) -> [Timestamp]? {
        guard events > 0 else { return [] }
        guard let first = reader.readTimestamp() else { return nil }
        if isConstant { return Array(repeating: first, count: events) }
        guard let steps = reader.readVarints(count: events - 1) else { return nil }
        var times = [first]
        times.reserveCapacity(events)
        var time = first.nanoseconds
        for step in steps {
            // Wraps as the encoder's difference did.
            time &+= unzigzag(step)
            times.append(Timestamp(nanoseconds: time))
        }
        return times
    }

    /// Offsets that never fall and end with the number of readings.
    private static func decodeFirsts(
        _ reader: inout StateReader, _ events: Int, _ readings: Int, isOneEach: Bool
    ) -> [UInt32]? {
        guard readings <= Int(UInt32.max) else { return nil }
        if isOneEach { return events == readings ? (0...UInt32(events)).map { $0 } : nil }
        guard let counts = reader.readVarints(count: events) else { return nil }
        var firsts: [UInt32] = [0]
        firsts.reserveCapacity(events + 1)
        var sum = 0
        for count in counts {
            guard count <= UInt64(readings - sum) else { return nil }
            sum += Int(count)
            firsts.append(UInt32(sum))
        }
        return sum == readings ? firsts : nil
    }

    static func decodePayloads(_ reader: inout StateReader, _ events: Int, bound: Int) -> [ByteRange]? {
        guard let numbers = reader.readVarints(count: 2 * events) else { return nil }
        var payloads: [ByteRange] = []
        payloads.reserveCapacity(events)
        var end: Int64 = 0
        for event in 0..<events {
            let (offset, overflow) = end.addingReportingOverflow(unzigzag(numbers[2 * event]))
            guard !overflow, let payload = range(offset, numbers[2 * event + 1], bound: bound) else { return nil }
            payloads.append(payload)
            end = Int64(payload.offset) + Int64(payload.length)
        }
        return payloads
    }

    private static func decodeRejects(_ reader: inout StateReader, bound: Int, haveCounts: Bool) -> [Reject]? {
        reader.readList { reader -> Reject? in
            guard let reason = reader.readText().flatMap(DeadLetterReason.init(rawValue:)),
                let detail = reader.readText(), let offset = reader.readVarint().flatMap(Int64.init(exactly:)),
                let length = reader.readVarint(), let payload = range(offset, length, bound: bound)
            else { return nil }
            var reject = Reject(reason: reason, detail: detail, payload: payload)
            if haveCounts {
                // Sums of them stay far from overflowing.
                guard let count = reader.readVarint(), count <= UInt64(UInt32.max) else { return nil }
                reject.count = Int(count)
            }
            return reject
        }
    }

    /// Offsets that never fall.
    private static func decodeStarts(_ reader: inout StateReader, bound: Int) -> [UInt32]? {
        guard let count = reader.readCount(of: 1), let steps = reader.readVarints(count: count) else { return nil }
        var starts: [UInt32] = []
        starts.reserveCapacity(count)
        var start: UInt64 = 0
        for step in steps {
            guard step <= UInt64(bound), start + step <= UInt64(bound) else { return nil }
            start += step
            starts.append(UInt32(start))
        }
        return starts
    }

    /// The range where it lies within `bound` bytes (at most UInt32.max).
    private static func range(_ offset: Int64, _ length: UInt64, bound: Int) -> ByteRange? {
        guard offset >= 0, offset <= Int64(bound), length <= UInt64(Int64(bound) - offset) else { return nil }
        return ByteRange(offset: Int(offset), length: Int(length))
    }
}

extension StateReader {
    /// A column of plain numbers whose count is known.
    fileprivate mutating func readNumbers<Number: FixedWidthInteger & BitwiseCopyable>(
        _ count: Int, of type: Number.Type
    ) -> [Number]? {
        let size = MemoryLayout<Number>.size
        let (bytes, overflow) = count.multipliedReportingOverflow(by: size)
        guard !overflow, let raw = readRaw(count: bytes) else { return nil }
        // The standard library writes the count of an uninitialized array, also into the one shared empty array.
        if count == 0 { return [] }
        return unsafe raw.withUnsafeBytes { source in
            unsafe [Number](unsafeUninitializedCapacity: count) { target, filled in
                unsafe UnsafeMutableRawBufferPointer(target).copyMemory(from: source)
                filled = count
            }
        }
    }

    /// A column of ids, all below a bound.
    fileprivate mutating func readIDs(_ count: Int, below bound: Int) -> [UInt32]? {
        guard let ids = readNumbers(count, of: UInt32.self) else { return nil }
        return ids.reduce(0, max) < max(bound, count == 0 ? 1 : 0) ? ids : nil
    }
}
