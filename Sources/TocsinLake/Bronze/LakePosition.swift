internal import TocsinCore
internal import TocsinSpool

/// How far a spool's records are in bronze, and which of its names are known there.
struct LakePosition: Equatable {
    var spool: UInt64
    /// Every record up to this one is in bronze.
    var record: UInt64
    var names: NameAgreement

    private static let kind = "tocsin-lake-position"

    var file: LakeStateFile {
        var file = LakeStateFile()
        file.set(Self.kind, 1)
        file.set("spool", StableHash.hex(spool))
        file.set("record", record)
        file.set("sensors", names.known.sensors)
        file.set("metrics", names.known.metrics)
        file.set("series", names.known.series)
        file.set("names", StableHash.hex(names.fingerprint))
        file.set("lost", names.areLost ? 1 : 0)
        return file
    }

    init(spool: UInt64, record: UInt64, names: NameAgreement) {
        self.spool = spool
        self.record = record
        self.names = names
    }

    init?(_ file: LakeStateFile) {
        guard file.text(Self.kind) == "1", let spool = file.hexadecimal("spool"),
            let record: UInt64 = file.number("record"),
            let sensors: Int = file.number("sensors"), let metrics: Int = file.number("metrics"),
            let series: Int = file.number("series"), let fingerprint = file.hexadecimal("names"),
            let lost: Int = file.number("lost"), min(sensors, metrics, series) >= 0
        else { return nil }
        self.init(
            spool: spool, record: record,
            names: NameAgreement(
                known: KnownNames(sensors: sensors, metrics: metrics, series: series), fingerprint: fingerprint,
                areLost: lost != 0))
    }
}

/// A roll that was begun: after a crash the same one is made again, under the same names, over what is there of it.
struct LakeIntent: Equatable {
    var spool: UInt64
    /// Numbers of its first and last record.
    var first: UInt64
    var last: UInt64
    /// As they were when it was begun: its files must come out the same.
    var keepsPayload: Bool
    var parts: Int

    private static let kind = "tocsin-lake-intent"

    var file: LakeStateFile {
        var file = LakeStateFile()
        file.set(Self.kind, 1)
        file.set("spool", StableHash.hex(spool))
        file.set("first", first)
        file.set("last", last)
        file.set("payload", keepsPayload ? 1 : 0)
        file.set("parts", parts)
        return file
    }

    init(spool: UInt64, first: UInt64, last: UInt64, keepsPayload: Bool, parts: Int) {
        self.spool = spool
        self.first = first
        self.last = last
        self.keepsPayload = keepsPayload
        self.parts = parts
    }

    init?(_ file: LakeStateFile) {
        guard file.text(Self.kind) == "1", let spool = file.hexadecimal("spool"),
            let first: UInt64 = file.number("first"),
            let last: UInt64 = file.number("last"), let payload: Int = file.number("payload"),
            let parts: Int = file.number("parts"), first <= last, (1...1024).contains(parts)
        else { return nil }
        self.init(spool: spool, first: first, last: last, keepsPayload: payload != 0, parts: parts)
    }
}
