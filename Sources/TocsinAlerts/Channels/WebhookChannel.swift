internal import Crypto
internal import TocsinCore

/// Posts each alarm step to a URL: as a CloudEvent (1.0, structured JSON), or in the plain form
/// `{"step":"raised","alarm":{…}}`.
public struct WebhookChannel: AlertChannel {
    public enum Format: String, Sendable, CaseIterable {
        /// `application/cloudevents+json`; signed over time stamp and body.
        case cloudEvents = "cloudevents"
        /// `application/json`; signed over the body alone.
        case plain
    }

    public let name: String
    public let traits = AlertChannelTraits(takesDigests: false, steps: AlertChannelTraits.lifeCycleSteps)
    private let url: WebAddress
    private let format: Format
    private let headers: [(name: String, value: String)]
    private let secret: String?
    private let sender: ChannelHTTP

    /// - Parameter secret: signs every request, see `signature`.
    public init(
        name: String, url: WebAddress, format: Format = .cloudEvents, headers: [(name: String, value: String)] = [],
        secret: String? = nil, sender: ChannelHTTP
    ) {
        self.name = name
        self.url = url
        self.format = format
        self.headers = headers
        self.secret = secret
        self.sender = sender
    }

    public func send(_ message: AlertMessage) async throws(AlertFailure) -> AlertAnswer {
        guard let change = message.change else { return AlertAnswer() }
        var json = JSONWriter()
        switch format {
        case .cloudEvents: Self.write(change, message, to: &json)
        case .plain: json.value(change)
        }
        let seconds = message.time.nanoseconds / 1_000_000_000
        var all: [(name: String, value: String)] = [
            (
                "Content-Type",
                format == .cloudEvents ? "application/cloudevents+json; charset=UTF-8" : "application/json"
            ),
            ("Idempotency-Key", message.key),
        ]
        all += headers
        if let secret {
            all.append(("X-Tocsin-Timestamp", String(seconds)))
            let signed = format == .cloudEvents ? Array("\(seconds).".utf8) + json.bytes : json.bytes
            all.append(("X-Tocsin-Signature", Self.signature(of: signed, secret)))
        }
        return try await sender.post(url, json.bytes, headers: all)
    }

    /// `sha256=` and the HMAC-SHA256 (RFC 2104) in hex. A receiver of CloudEvents computes it over the header
    /// `X-Tocsin-Timestamp`, a full stop and the body, and refuses a time stamp that is old.
    public static func signature(of signed: [UInt8], _ secret: String) -> String {
        let code = HMAC<SHA256>.authenticationCode(for: signed, using: SymmetricKey(data: Array(secret.utf8)))
        return "sha256=" + code.map(Escaping.hex).joined()
    }

    /// When it happened: the same in every attempt.
    private static func time(of change: AlarmChange) -> Timestamp {
        switch change.step {
        case .raised: change.alarm.raised
        case .cleared: change.alarm.cleared ?? change.alarm.lastSeen
        default: change.alarm.lastSeen
        }
    }

    private static func write(_ change: AlarmChange, _ message: AlertMessage, to json: inout JSONWriter) {
        json.object { event in
            event.field("specversion", "1.0")
            event.field("id", message.key)
            event.field("source", "/tocsin/alarms")
            event.field("type", "org.tocsin.alarm.\(change.step.rawValue.lowercased())")
            // No attribute holds control characters (CloudEvents 1.0, type system).
            event.field("subject", change.alarm.sensor.printable)
            event.field("time", Self.time(of: change))
            event.field("datacontenttype", "application/json")
            event.key("data")
            event.object { data in
                data.field("step", change.step.rawValue)
                data.key("alarm")
                data.value(change.alarm)
                data.field("zone", message.details.zone)
                data.field("value", message.details.value)
                data.field("expected", message.details.expected)
                data.field("value_time", message.details.valueTime)
                data.readings(message.details)
                data.field("person", message.person)
                data.field("comment", message.details.comment)
                data.field("note", message.note)
                data.field("link", message.link)
                data.field("test", message.isTest)
            }
        }
    }
}

extension JSONWriter {
    /// `"readings":[{"metric","value","unit","expected_low","expected_high","time"},…]`
    mutating func readings(_ details: AlertDetails) {
        key("readings")
        array { list in
            for reading in details.readings {
                list.object {
                    $0.field("metric", reading.metric)
                    $0.field("value", reading.value)
                    $0.field("unit", reading.unit)
                    $0.field("expected_low", reading.low)
                    $0.field("expected_high", reading.high)
                    $0.field("time", reading.time)
                }
            }
        }
    }
}

/// What the HTTP channels share: the way out and how long one attempt may take.
public struct ChannelHTTP: Sendable {
    private let http: AlertHTTP
    private let timeout: Duration
    private let authorities: String?

    /// - Parameter authorities: a file of further certificate authorities (PEM).
    public init(http: AlertHTTP, timeout: Duration = .seconds(10), authorities: String? = nil) {
        self.http = http
        self.timeout = timeout
        self.authorities = authorities
    }

    func post(
        _ url: WebAddress, _ body: [UInt8], headers: [(name: String, value: String)], method: String = "POST"
    ) async throws(AlertFailure) -> AlertAnswer {
        try await http.send(
            OutgoingRequest(
                method: method, url: url, headers: headers, body: body, timeout: timeout, authorities: authorities))
    }

    func post(
        json: JSONWriter, to url: WebAddress, key: String, headers: [(name: String, value: String)] = []
    ) async throws(AlertFailure) -> AlertAnswer {
        try await send(json, to: url, key, headers, method: "POST")
    }

    func put(
        json: JSONWriter, to url: WebAddress, key: String, headers: [(name: String, value: String)]
    ) async throws(AlertFailure) -> AlertAnswer {
        try await send(json, to: url, key, headers, method: "PUT")
    }

    private func send(
        _ json: JSONWriter, to url: WebAddress, _ key: String, _ headers: [(name: String, value: String)],
        method: String
    ) async throws(AlertFailure) -> AlertAnswer {
        try await post(
            url, json.bytes,
            headers: [("Content-Type", "application/json; charset=utf-8"), ("Idempotency-Key", key)] + headers,
            method: method)
    }
}
