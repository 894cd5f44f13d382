internal import AsyncHTTPClient
internal import Foundation
internal import NIOCore
internal import NIOHTTP1
internal import TocsinAlerts
public import TocsinConfiguration
internal import TocsinConnectors
public import TocsinCore

/// `tocsin alert dead`: what was given up, in the data folder of a program that has ended, or of one that runs.
public struct DeadAlertBox: Sendable {
    public struct Letter: Sendable {
        public var number: UInt64
        public var channel: String
        public var givenUp: Timestamp
        public var attempts: Int
        public var reason: String
        /// `raised: …`, as its receiver would have read it.
        public var text: String
    }

    public enum Verb: String, Sendable { case resend, discard }

    public struct Outcome: Sendable {
        public var count: Int
        /// False where the letters wait for the next start.
        public var isRunning: Bool
    }

    private let configuration: TocsinConfiguration
    private let url: String?

    /// - Parameter url: of a running program; nil = the data folder, and the configuration's address where a running
    ///   program holds it.
    public init(configuration: TocsinConfiguration, url: String? = nil) {
        self.configuration = configuration
        self.url = url
    }

    /// Oldest first.
    public func list(channel: String?) async throws -> [Letter] {
        let letters =
            url == nil
            ? OutboxFile.look(at: configuration.toldPath).dead.map(Letter.init)
            : try await LiveAlerts(address: address).dead()
        return letters.filter { channel == nil || $0.channel == channel }
    }

    /// - Parameters:
    ///   - numbers: nil = all.
    ///   - channel: nil = every channel.
    /// - Throws: `TocsinError(.usage)` when there is no such letter.
    public func act(_ verb: Verb, _ numbers: Set<UInt64>?, channel: String?) async throws -> Outcome {
        if url == nil, let count = try actOnFile(verb, numbers, channel) {
            guard count > 0 || numbers == nil else { throw Self.missing }
            return Outcome(count: count, isRunning: false)
        }
        let count = try await LiveAlerts(address: address).act(verb, numbers, channel: channel)
        return Outcome(count: count, isRunning: true)
    }

    /// - Returns: nil where a running program has the file.
    private func actOnFile(_ verb: Verb, _ numbers: Set<UInt64>?, _ channel: String?) throws(TocsinError) -> Int? {
        let path = configuration.toldPath
        guard FileManager.default.fileExists(atPath: path) else { return 0 }
        let lock: DataFolderLock
        do {
            lock = try DataFolderLock(configuration.data.directory)
        } catch {
            if error.message.hasPrefix(DataFolderLock.inUse) { return nil }
            throw error
        }
        defer { withExtendedLifetime(lock) {} }
        let outbox = try OutboxFile(existing: path)
        let now = SystemClock().now()
        return outbox.deadCounts.keys.filter { channel == nil || $0 == channel }.reduce(0) { count, lane in
            switch verb {
            case .resend: count + outbox.requeue(numbers, in: lane, now: now).count
            case .discard: count + outbox.discard(numbers, in: lane)
            }
        }
    }

    private var address: String {
        if let url { return url.hasSuffix("/") ? String(url.dropLast()) : url }
        let server = configuration.server
        let host = ["0.0.0.0", "::"].contains(server.host) ? "127.0.0.1" : server.host
        return "http://\(host.contains(":") ? "[\(host)]" : host):\(server.port)"
    }

    static let missing = TocsinError(
        .usage, "there is no such dead letter", remedy: "tocsin alert dead shows the numbers")
}

extension DeadAlertBox.Letter {
    init(_ dead: DeadAlert) {
        let change = dead.item.change
        self.init(
            number: dead.item.number, channel: dead.lane, givenUp: dead.time, attempts: dead.attempts,
            reason: dead.reason, text: "\(change.step.rawValue): \(change.alarm.sentence)")
    }
}

/// The alerts of a program that runs, through its API.
private struct LiveAlerts {
    let address: String

    private struct Page: Decodable {
        struct Item: Decodable {
            struct Alarm: Decodable { var sentence: String }
            var id: UInt64
            var channel: String
            var given_up: String
            var attempts: Int
            var reason: String
            var step: String
            var alarm: Alarm
        }
        var items: [Item]
    }
    private struct Problem: Decodable { var detail: String }

    private static let most = 10_000
    private static let longestAnswer = 64 << 20

    func dead() async throws -> [DeadAlertBox.Letter] {
        let page: Page = try await answer("GET", "/alerts/dead?limit=\(Self.most)")
        return page.items.reversed().map { item in
            DeadAlertBox.Letter(
                number: item.id, channel: item.channel,
                givenUp: Timestamp(text: item.given_up) ?? Timestamp(nanoseconds: 0), attempts: item.attempts,
                reason: item.reason, text: "\(item.step): \(item.alarm.sentence)")
        }
    }

    func act(_ verb: DeadAlertBox.Verb, _ numbers: Set<UInt64>?, channel: String?) async throws -> Int {
        var body = JSONWriter()
        body.object { json in
            if let channel { json.field("channel", channel) }
            guard let numbers else { return json.field("all", true) }
            json.key("ids")
            json.array { list in for number in numbers.sorted() { list.value(Int64(clamping: number)) } }
        }
        let counts: [String: Int] = try await answer("POST", "/alerts/dead/\(verb.rawValue)", body.bytes)
        return counts.values.reduce(0, +)
    }

    private func answer<Answer: Decodable>(
        _ method: String, _ path: String, _ body: [UInt8]? = nil
    ) async throws -> Answer {
        var request = HTTPClientRequest(url: address + path)
        request.method = .init(rawValue: method)
        if let body {
            request.headers.add(name: "Content-Type", value: "application/json")
            request.body = .bytes(ByteBuffer(bytes: body))
        }
        let status: Int
        let bytes: [UInt8]
        do {
            let response = try await OutgoingHTTP.client.execute(request, timeout: .seconds(30))
            status = Int(response.status.code)
            bytes = Array(try await response.body.collect(upTo: Self.longestAnswer).readableBytesView)
        } catch {
            throw TocsinError(
                .network, "the running program cannot be asked", place: address,
                remedy: "give its address with --url, or stop it", cause: error)
        }
        if status == 404 { throw DeadAlertBox.missing }
        guard status == 200, let answer = try? JSONDecoder().decode(Answer.self, from: Data(bytes)) else {
            let detail = (try? JSONDecoder().decode(Problem.self, from: Data(bytes)))?.detail
            throw TocsinError(
                .network, "the running program answered \(status)" + (detail.map { ": \($0)" } ?? ""), place: address)
        }
        return answer
    }
}
