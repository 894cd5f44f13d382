import Testing
import TocsinCore

struct TimestampParsingTests {
    /// 2025-10-01T10:00:00Z
    static let base: Int64 = 1_759_312_800_000_000_000

    @Test(arguments: [
        ("2025-10-01T10:00:00Z", base),
        ("2025-10-01t10:00:00z", base),
        ("2025-10-01 10:00:00", base),
        ("2025-10-01T10:00", base),
        ("2025-10-01T10:00Z", base),
        ("2025-10-01T12:00:00+02:00", base),
        ("2025-10-01T12:00:00+0200", base),
        ("2025-10-01T12:00:00+02", base),
        ("2025-10-01T04:30:00-05:30", base),
        ("2025-10-01T12:00+02:00", base),
        ("2025-10-01T10:00:00-00:00", base),
        ("2025-10-01", base - 36_000_000_000_000),
        ("2025-10-01T10:00:00.25Z", base + 250_000_000),
        ("2025-10-01T10:00:00,25+00:00", base + 250_000_000),
        ("2025-10-01T10:00:00.123456789Z", base + 123_456_789),
        ("2025-10-01T10:00:00.1234567899999999Z", base + 123_456_789),
        ("2025-10-01T09:59:60Z", base),
        ("2025-10-01T09:59:60.5Z", base),
        ("2024-02-29T00:00:00Z", 1_709_164_800_000_000_000),
        ("2000-02-29", 951_782_400_000_000_000),
        ("1970-01-01T00:00:00Z", 0),
        ("1969-12-31T23:30:00-01:00", 1_800_000_000_000),
        ("2262-04-11T23:47:16.854775807Z", Int64.max),
    ])
    func reads(text: String, nanoseconds: Int64) {
        #expect(Timestamp(iso8601: text)?.nanoseconds == nanoseconds)
    }

    @Test(arguments: [
        "", "2025", "2025-10", "2025-1-01", "2025-13-01", "2025-00-10", "2025-10-00", "2025-10-32", "2025-02-29",
        "2100-02-29", "2025-10-01T", "2025-10-01T10", "2025-10-01T24:00:00Z", "2025-10-01T10:60:00Z",
        "2025-10-01T10:00:61Z", "2025-10-01T10:00:", "2025-10-01T10:00:0", "2025-10-01T10:00:00.",
        "2025-10-01T10:00:00.Z",
        "2025-10-01T10:00:00+", "2025-10-01T10:00:00+2", "2025-10-01T10:00:00+24:00", "2025-10-01T10:00:00+02:60",
        "2025-10-01T10:00:00+02:0", "2025-10-01T10:00:00Zx", "2025-10-01T10:00:00 ", " 2025-10-01", "2025/10/01",
        "2025-10-01X10:00:00Z", "20x5-10-01", "2025-10-01T1x:00:00Z", "1969-12-31T23:59:59Z",
        "2262-04-11T23:47:16.854775808Z",
        "2263-01-01", "9999-12-31T23:59:59Z", "0000-01-01", "٢٠٢٥-10-01",
    ])
    func refuses(text: String) {
        #expect(Timestamp(iso8601: text) == nil)
    }

    @Test func readsWhatThePrinterWrites() {
        var random = SplitMix(seed: 1)
        for round in 0..<20_000 {
            var nanoseconds = Int64(random.next() >> 1)
            if round % 4 == 1 { nanoseconds -= nanoseconds % 1_000_000_000 }
            if round % 4 == 2 { nanoseconds -= nanoseconds % 1_000_000 }
            if round % 4 == 3 { nanoseconds -= nanoseconds % 1000 }
            let time = Timestamp(nanoseconds: nanoseconds)
            #expect(Timestamp(iso8601: time.iso8601) == time)
        }
    }

    @Test func neverTrapsOnDamagedText() {
        var random = SplitMix(seed: 2)
        let template = Array("2025-10-01T10:00:00.123456789+02:00".utf8)
        for _ in 0..<100_000 {
            var text = template
            for _ in 0..<random.below(4) { text[random.below(text.count)] = UInt8(truncatingIfNeeded: random.next()) }
            text.removeLast(random.below(text.count + 1))
            _ = Timestamp(iso8601: text.span)
            _ = Timestamp(epoch: text.span)
        }
    }
}

struct TimestampEpochTests {
    @Test(arguments: [
        ("1759312800", Int64(1_759_312_800_000_000_000)),
        ("1759312800.0", 1_759_312_800_000_000_000),
        ("1594598424.5023336", 1_594_598_424_502_333_600),
        ("1759312800123", 1_759_312_800_123_000_000),
        ("1759312800123.25", 1_759_312_800_123_250_000),
        ("1759312800123456", 1_759_312_800_123_456_000),
        ("1759312800123456789", 1_759_312_800_123_456_789),
        ("1.7593128e9", 1_759_312_800_000_000_000),
        ("1.759312800123e+12", 1_759_312_800_123_000_000),
        ("17593128000e-1", 1_759_312_800_000_000_000),
        ("0001759312800", 1_759_312_800_000_000_000),
        ("1759312800.12345678999999999999", 1_759_312_800_123_456_789),
        ("0", 0), ("0.0", 0), ("1", 1_000_000_000), ("0.5", 500_000_000),
        ("9223372036", 9_223_372_036_000_000_000),
    ])
    func readsDecimalsExactly(text: String, nanoseconds: Int64) {
        #expect(Timestamp(epochText: text)?.nanoseconds == nanoseconds)
    }

    @Test(arguments: [
        "", "-1", "+1", "abc", ".", "1e", "1e+", "1e99999", "1.2.3", "1 ", " 1", "0x10", "NaN", "9223372037",
        "99999999999999999999", "9999999999999999999", "1e30", "1759312800s",
    ])
    func refusesWhatIsNoTime(text: String) {
        #expect(Timestamp(epochText: text) == nil)
    }

    @Test func obeysAGivenUnit() {
        #expect(Timestamp(epochText: "1500", unit: .milliseconds)?.nanoseconds == 1_500_000_000)
        #expect(Timestamp(epochText: "1500", unit: .microseconds)?.nanoseconds == 1_500_000)
        #expect(Timestamp(epochText: "1500", unit: .nanoseconds)?.nanoseconds == 1500)
        #expect(Timestamp(epochText: "1759312800123", unit: .seconds) == nil)
    }

    @Test func guessesTheUnitByMagnitude() {
        #expect(Timestamp(epoch: Int64(99_999_999_999)) == nil)
        #expect(Timestamp(epoch: Int64(100_000_000_000))?.iso8601 == "1973-03-03T09:46:40Z")
        #expect(Timestamp(epoch: Int64(100_000_000_000_000))?.iso8601 == "1973-03-03T09:46:40Z")
        #expect(Timestamp(epoch: Int64(100_000_000_000_000_000))?.iso8601 == "1973-03-03T09:46:40Z")
        #expect(Timestamp(epoch: Int64.max)?.nanoseconds == .max)
        #expect(Timestamp(epoch: Int64(-1)) == nil)
    }

    @Test func readsDoubles() throws {
        let time = try #require(Timestamp(epoch: 1_594_598_424.5023336))
        #expect(abs(time.nanoseconds - 1_594_598_424_502_333_600) < 1000)
        #expect(Timestamp(epoch: 1_759_312_800_123.0)?.nanoseconds == 1_759_312_800_123_000_000)
        for odd in [Double.nan, .infinity, -.infinity, -1, 1e300, 9.3e9, .greatestFiniteMagnitude] {
            #expect(Timestamp(epoch: odd) == nil)
        }
    }
}

extension Timestamp {
    init?(epochText: String, unit: EpochUnit? = nil) { self.init(epoch: epochText.utf8.span, unit: unit) }
}

/// Vigna's SplitMix64: small, seeded, the same everywhere.
struct SplitMix {
    private var state: UInt64
    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var mixed = state
        mixed = (mixed ^ mixed >> 30) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ mixed >> 27) &* 0x94d0_49bb_1331_11eb
        return mixed ^ mixed >> 31
    }

    mutating func below(_ bound: Int) -> Int { Int(next() % UInt64(max(bound, 1))) }
}
