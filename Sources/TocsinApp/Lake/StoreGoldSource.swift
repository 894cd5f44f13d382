internal import TocsinCore
internal import TocsinLake

/// What the operational store gives to gold.
struct StoreGoldSource: GoldSource {
    let store: any Store

    func anomalies(start: Timestamp, end: Timestamp, limit: Int, offset: Int) async throws -> [Anomaly] {
        try await store.anomalies(RecordQuery(start: start, end: end, limit: limit, offset: offset))
    }

    func alarms(start: Timestamp, end: Timestamp, limit: Int, offset: Int) async throws -> [Alarm] {
        try await store.alarms(RecordQuery(start: start, end: end, limit: limit, offset: offset), state: nil)
    }

    func windows(start: Timestamp, end: Timestamp, limit: Int, offset: Int) async throws -> [StoredWindow] {
        try await store.windows(RecordQuery(start: start, end: end, limit: limit, offset: offset))
    }
}
