import Logging
import Synchronization
import Testing
import TocsinApp
import TocsinConfiguration
import TocsinCore

@Suite("Log lines")
struct LogHandlerTests {
    private struct FixedClock: WallClock {
        func now() -> Timestamp { Timestamp(nanoseconds: 1_700_000_000_250_000_000) }
    }

    private final class Lines: Sendable {
        private let bytes = Mutex<[[UInt8]]>([])
        func append(_ line: [UInt8]) { bytes.withLock { $0.append(line) } }
        var texts: [String] { bytes.withLock { $0.map { String(decoding: $0, as: UTF8.self) } } }
    }

    private func logged(
        _ format: LogFormat, level: Logger.Level = .trace, provider: Logger.MetadataProvider? = nil,
        _ body: (inout Logger) -> Void
    ) -> [String] {
        let lines = Lines()
        var logger = Logger(label: "tocsin.test") { label in
            TocsinLogHandler(
                label: label, level: level, format: format, clock: FixedClock(), metadataProvider: provider,
                write: { lines.append($0) })
        }
        body(&logger)
        return lines.texts
    }

    @Test func aJSONLineHasItsFieldsInOrder() {
        let lines = logged(.json) { logger in
            logger.warning("disk \"C\"\nis full", metadata: ["path": "/data", "attempt": "\(3)"])
        }
        #expect(
            lines == [
                #"{"time":"2023-11-14T22:13:20.250Z","level":"warning","label":"tocsin.test","#
                    + #""message":"disk \"C\"\nis full","attempt":"3","path":"/data"}"# + "\n"
            ])
    }

    @Test func metadataIsFlattened() {
        let lines = logged(.json) { logger in
            logger.info("x", metadata: ["b": ["c": ["d": "1"]], "a": .array(["x", ["y": "z"]]), "message": "m"])
        }
        let tail = #""message":"x","a.0":"x","a.1.y":"z","b.c.d":"1","_message":"m"}"#
        #expect(lines.first?.contains(tail) == true, "\(lines)")
    }

    @Test func secretsNeverAppear() {
        for format in [LogFormat.json, .plain(colored: true)] {
            let lines = logged(format) { logger in
                logger[metadataKey: "apiKey"] = "hunter2"
                logger.error(
                    "cannot reach amqp://me:hunter2@broker/x",
                    metadata: [
                        "password": "hunter2", "Authorization": "Bearer hunter2", "accessTokens": .array(["hunter2"]),
                        "headers": ["Cookie": "hunter2", "host": "h"], "secret": ["deep": ["er": "hunter2"]],
                        "url": "postgres://me:hunter2@db/x", "held": .stringConvertible(Secret("hunter2")),
                    ])
            }
            #expect(lines.count == 1)
            #expect(!lines.joined().contains("hunter2"), "\(lines)")
            #expect(lines.joined().contains("postgres://me:****@db/x"))
        }
    }

    @Test func plainLinesAreReadable() {
        let lines = logged(.plain(colored: false)) { logger in
            logger.notice("started", metadata: ["port": "8080", "note": "two words", "empty": ""])
        }
        #expect(lines == ["22:13:20.250 notice   tocsin.test: started empty=\"\" note=\"two words\" port=8080\n"])
    }

    @Test func outsideTextCannotForgeLinesOrMoveTheCursor() {
        for colored in [false, true] {
            let lines = logged(.plain(colored: colored)) { logger in
                logger.info("a\nb\u{1b}[2J\r\u{7}", metadata: ["k\n": "v\u{9b}31m\n"])
            }
            let text = lines.joined()
            #expect(text.filter { $0.isNewline }.count == 1)
            #expect(!text.contains("\u{1b}[2J") && !text.contains("\u{9b}") && !text.contains("\u{7}"))
        }
        #expect(logged(.json) { $0.info("a\nb") }.joined().filter { $0.isNewline }.count == 1)
    }

    @Test func levelsFilter() {
        let lines = logged(.json, level: .warning) { logger in
            logger.info("no")
            logger.warning("yes")
            logger.logLevel = .debug
            logger.debug("now")
        }
        #expect(lines.count == 2)
    }

    @Test func theNearerMetadataWins() {
        let provider = Logger.MetadataProvider { ["who": "provider", "from": "provider"] }
        let lines = logged(.json, provider: provider) { logger in
            logger[metadataKey: "who"] = "logger"
            logger[metadataKey: "x"] = "logger"
            logger.info("m", metadata: ["x": "call"])
        }
        let line = lines.joined()
        #expect(line.contains(#""from":"provider","who":"provider","x":"call""#), "\(line)")
    }

    @Test func errorsAreShown() {
        let lines = logged(.json) { logger in
            logger.error("failed", error: TocsinError(.store, "no space", place: "x.db"))
        }
        #expect(lines.joined().contains(#""error":"x.db: no space""#), "\(lines)")
    }

    @Test func everyConfiguredLevelIsKnownToTheLogger() {
        for level in TocsinConfiguration.Log.Level.allCases {
            #expect(Logger.Level(rawValue: level.rawValue) != nil)
        }
    }
}
