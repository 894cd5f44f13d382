public import TocsinCore

/// Finds what is to be explained: by id, by the beginning of an id, or the newest.
public struct ExplainSearch: Sendable {
    /// What an id stands for.
    public enum Subject: Sendable {
        case anomaly(Anomaly)
        case alarm(Alarm)

        var id: String {
            switch self {
            case .anomaly(let anomaly): anomaly.id
            case .alarm(let alarm): alarm.id
            }
        }

        /// "anomaly 3f2a… : temperature of …"
        var line: String {
            switch self {
            case .anomaly(let anomaly): "anomaly \(anomaly.id): \(anomaly.sentence.printable)"
            case .alarm(let alarm): "alarm \(alarm.id): \(alarm.sentence.printable)"
            }
        }
    }

    private let store: any Store
    private let place: String

    private static let page = 2000
    private static let idLength = 16
    private static let shortest = 4
    private static let shown = 8

    /// - Parameter place: the store's name in messages.
    public init(store: any Store, place: String) {
        self.store = store
        self.place = place
    }

    /// Newest first.
    public func list(limit: Int) async throws -> [Anomaly] {
        let anomalies = try await store.anomalies(RecordQuery(limit: max(1, limit)))
        if anomalies.isEmpty { throw nothingFound() }
        return anomalies
    }

    public func last() async throws -> Subject {
        guard let newest = try await list(limit: 1).first else { throw nothingFound() }
        return .anomaly(newest)
    }

    /// - Parameter id: 16 hexadecimal digits or at least the first four of them.
    /// - Throws: `TocsinError(.usage)` when it is no id, stands for nothing (with the nearest ids) or for several.
    public func find(_ id: String) async throws -> Subject {
        let wanted = id.lowercased()
        guard wanted.count >= Self.shortest, wanted.count <= Self.idLength, wanted.allSatisfy(\.isHexDigit) else {
            throw TocsinError(
                .usage, "'\(id.printable)' is no id",
                remedy: "give the 16 digits 0-9 a-f of an anomaly or alarm, or at least the first four; "
                    + "tocsin explain --list shows them")
        }
        if wanted.count == Self.idLength, let alarm = try await store.alarm(id: wanted) { return .alarm(alarm) }
        var matches = Matches(wanted: wanted)
        try await walk {
            try await store.anomalies($0).map { .anomaly($0) }
        } take: {
            matches.take($0)
        }
        if !matches.isDecided {
            try await walk {
                try await store.alarms($0, state: nil).map { .alarm($0) }
            } take: {
                matches.take($0)
            }
        }
        if matches.seen == 0 { throw nothingFound() }
        if let exact = matches.exact { return exact }
        guard let first = matches.found.first else { throw noSuch(id, nearest: matches.nearest) }
        guard matches.found.count == 1 else { throw ambiguous(id, matches.found) }
        return first
    }

    private func walk(
        _ read: (RecordQuery) async throws -> [Subject], take: (Subject) -> Bool
    ) async throws {
        var offset = 0
        while true {
            let page = try await read(RecordQuery(limit: Self.page, offset: offset))
            for subject in page where take(subject) { return }
            // A store that passes over rows of a newer version gives a short page that is not the last.
            if page.isEmpty { return }
            offset += Self.page
        }
    }

    // MARK: Messages

    private func nothingFound() -> TocsinError {
        TocsinError(
            .usage, "the store holds no findings", place: place,
            remedy: "nothing was found yet, or this is another folder than that of tocsin run or "
                + "tocsin replay --data-dir")
    }

    private func noSuch(_ id: String, nearest: [Subject]) -> TocsinError {
        TocsinError(
            .usage, "there is no anomaly and no alarm \(id.printable)", place: place,
            remedy: "the nearest are\n" + nearest.map { "     \($0.line)" }.joined(separator: "\n")
                + "\n     tocsin explain --list shows the newest")
    }

    private func ambiguous(_ id: String, _ found: [Subject]) -> TocsinError {
        let rest = found.count > Self.shown ? "\n     and \(found.count - Self.shown) more" : ""
        return TocsinError(
            .usage, "\(id.printable) is the beginning of \(found.count) ids", place: place,
            remedy: "give more digits:\n" + found.prefix(Self.shown).map { "     \($0.line)" }.joined(separator: "\n")
                + rest)
    }

    /// Goes over all ids and keeps what fits, and what comes next to it.
    private struct Matches {
        let wanted: String
        var seen = 0
        var exact: Subject?
        var found: [Subject] = []
        private var candidates: [(subject: Subject, common: Int, same: Int)] = []

        init(wanted: String) { self.wanted = wanted }

        var isDecided: Bool { exact != nil }
        var nearest: [Subject] { candidates.map(\.subject) }

        /// True when nothing further can change the answer.
        mutating func take(_ subject: Subject) -> Bool {
            seen += 1
            let id = subject.id
            if id == wanted {
                exact = subject
                return true
            }
            if id.hasPrefix(wanted) {
                // A page may repeat rows when new ones come in meanwhile.
                if !found.contains(where: { $0.id == id }) { found.append(subject) }
                return false
            }
            let common = zip(id, wanted).prefix { $0 == $1 }.count
            let same = zip(id, wanted).count { $0 == $1 }
            if let worst = candidates.last, candidates.count >= 3, (common, same) <= (worst.common, worst.same) {
                return false
            }
            guard !candidates.contains(where: { $0.subject.id == id }) else { return false }
            candidates.append((subject, common, same))
            candidates.sort { ($0.common, $0.same) > ($1.common, $1.same) }
            if candidates.count > 3 { candidates.removeLast() }
            return false
        }
    }
}
