internal import TocsinCore

/// What the envelopes of a batch say, with each name looked up once.
struct EnvelopeBook {
    enum Name<ID> {
        case absent
        case known(ID)
        /// The table has no room for it.
        case refused
    }

    private let payloads: [ByteRange]
    private let rows: [UInt32]
    private let times: [Timestamp]
    let envelopes: [MessageEnvelope]
    private let defaultSensor: String?
    private let longestName: Int
    private var sensors: [Name<SensorID>?]
    private var metrics: [Name<MetricID>?]
    /// The message that `move` found.
    private(set) var message = 0

    init(_ messages: MessageBatch, defaultSensor: String?, limits: DecodeLimits) {
        payloads = messages.payloads
        rows = messages.envelopeOfMessage
        times = messages.times
        envelopes = messages.envelopes
        self.defaultSensor = defaultSensor
        longestName = limits.maximumNameBytes
        // The last row is that of messages without an envelope.
        sensors = Array(repeating: nil, count: envelopes.count + 1)
        metrics = Array(repeating: nil, count: envelopes.count + 1)
    }

    func payload(_ message: Int) -> ByteRange { payloads[message] }

    /// Goes on to the message that holds a byte behind those asked for before.
    @inline(__always)
    mutating func move(to byte: UInt32) {
        while message + 1 < payloads.count, payloads[message + 1].offset <= byte { message += 1 }
    }

    mutating func move(toMessage message: Int) { self.message = message }

    /// The row of the message's envelope: that behind the last one where there is none.
    @inline(__always)
    func row(_ message: Int) -> Int {
        guard !rows.isEmpty else { return 0 }
        guard message < rows.count else { return envelopes.count }
        return min(Int(rows[message]), envelopes.count)
    }

    func envelope(_ message: Int) -> MessageEnvelope? {
        let row = row(message)
        return row < envelopes.count ? envelopes[row] : nil
    }

    /// When the broker dated the message.
    @inline(__always)
    func time(_ message: Int) -> Timestamp? {
        guard message < times.count, times[message].nanoseconds > 0 else { return nil }
        return times[message]
    }

    mutating func sensor(_ message: Int, _ index: inout SeriesIndex) -> Name<SensorID> {
        let row = row(message)
        if let known = sensors[row] { return known }
        var name = Name<SensorID>.absent
        let own = row < envelopes.count ? envelopes[row].sensor : nil
        if let text = own ?? defaultSensor, !text.isEmpty, text.utf8.count <= longestName {
            name = index.sensor(text.utf8.span).map { .known($0) } ?? .refused
        }
        sensors[row] = name
        return name
    }

    mutating func metric(_ message: Int, _ index: inout SeriesIndex) -> Name<MetricID> {
        let row = row(message)
        if let known = metrics[row] { return known }
        var name = Name<MetricID>.absent
        if row < envelopes.count, let text = envelopes[row].metric, !text.isEmpty, text.utf8.count <= longestName {
            name = index.metric(text.utf8.span).map { .known($0) } ?? .refused
        }
        metrics[row] = name
        return name
    }

    func zone(_ message: Int) -> String? { shortName(envelope(message)?.zone) }
    func unit(_ message: Int) -> String? { shortName(envelope(message)?.unit) }

    // Of the message that `move` found.
    var currentPayload: ByteRange { payloads[message] }
    var currentTime: Timestamp? { time(message) }
    var currentZone: String? { zone(message) }
    var currentUnit: String? { unit(message) }
    mutating func currentSensor(_ index: inout SeriesIndex) -> Name<SensorID> { sensor(message, &index) }
    mutating func currentMetric(_ index: inout SeriesIndex) -> Name<MetricID> { metric(message, &index) }

    private func shortName(_ text: String?) -> String? {
        text.flatMap { $0.isEmpty || $0.utf8.count > longestName ? nil : $0 }
    }
}
