internal import ServiceLifecycle
internal import TocsinCore
internal import TocsinLake
internal import TocsinServer

/// Bronze: written until the process ends; what is not in it by then waits in the spool.
struct LakeWriterService: Service, CustomStringConvertible {
    var description: String { "lake" }
    let lake: Lake
    let table: SeriesTable

    func run() async throws {
        await cancelWhenGracefulShutdown { await lake.writer.run(table) }
    }
}

/// Files on their way to S3.
struct LakeUploadService: Service, CustomStringConvertible {
    var description: String { "lake upload" }
    let lake: Lake

    func run() async throws {
        await cancelWhenGracefulShutdown {
            // Ends by cancellation alone.
            if let queue = lake.queue {
                await lake.prepareBucket()
                try? await queue.run()
            } else {
                try? await gracefulShutdown()
            }
        }
    }
}

/// Upkeep, silver and gold, at start and at the configured interval.
struct LakeRefreshService: Service, CustomStringConvertible {
    var description: String { "lake refresh" }
    let lake: Lake
    let interval: Span64?

    func run() async throws {
        await cancelWhenGracefulShutdown {
            await lake.takeUpLastETL()
            while !Task.isCancelled {
                await lake.tidy()
                if interval != nil { await lake.refresh() }
                await lake.takeStock()
                try? await Task.sleep(for: .nanoseconds((interval ?? .minutes(10)).nanoseconds))
            }
        }
    }
}

/// The lake's state on the screen and for monitors, once a second.
struct LakeStatusService: Service, CustomStringConvertible {
    var description: String { "lake status" }
    let lake: Lake
    let overview: OverviewMonitor

    func run() async throws {
        await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                overview.note(lake: lake.status)
                try? await Task.sleep(for: .seconds(1))
            }
        }
    }
}
