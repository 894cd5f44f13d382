public import ServiceLifecycle
public import TocsinCore
public import TocsinEngine

/// Drives what screens see at intervals: points, figures every second, heartbeats.
public struct LiveTicker: Service, CustomStringConvertible {
    public var description: String { "live ticker" }

    private let engine: Engine
    private let overview: OverviewMonitor
    private let table: SeriesTable
    private let interval: Duration
    private let heartbeat: Duration
    private static let overviewInterval = Duration.seconds(1)
    private static let storeInterval = Duration.seconds(15)

    /// - Parameters:
    ///   - interval: at least, between two deliveries of points to the charts.
    ///   - heartbeat: between two signs of life on a quiet connection.
    public init(
        engine: Engine, overview: OverviewMonitor, table: SeriesTable, interval: Span64 = .milliseconds(50),
        heartbeat: Span64 = .seconds(15)
    ) {
        self.engine = engine
        self.overview = overview
        self.table = table
        self.interval = .nanoseconds(interval.nanoseconds)
        self.heartbeat = .nanoseconds(heartbeat.nanoseconds)
    }

    public func run() async throws {
        await cancelWhenGracefulShutdown {
            await withDiscardingTaskGroup { group in
                // A lone reading goes out at once; of many, `interval` lies between two deliveries.
                group.addTask {
                    await every(interval) {
                        await engine.hub.waitForPoints()
                        engine.hub.flushPoints(table: table)
                    }
                }
                // Sensors that somebody asked for before their first reading.
                group.addTask { await every(Self.overviewInterval) { engine.hub.flushPoints(table: table) } }
                group.addTask { await every(Self.overviewInterval) { overview.sample() } }
                group.addTask { await every(heartbeat) { engine.hub.heartbeat() } }
                group.addTask { await every(Self.storeInterval) { await overview.sampleStore() } }
            }
        }
    }

    private func every(_ pause: Duration, _ body: @Sendable () async -> Void) async {
        while !Task.isCancelled {
            await body()
            try? await Task.sleep(for: pause)
        }
    }
}
