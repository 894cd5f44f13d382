// swift-tools-version: 6.2
import PackageDescription

// The map of the project: targets stand in arrow order, each may use only what stands above it.
// docs/architecture.md draws the same picture. Undeclared imports are refused by the build
// (`--explicit-target-dependency-import-check error`, see scripts/build).

// Every Swift target obeys these.
let common: [SwiftSetting] = [
    .treatAllWarnings(as: .error),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
]
// Targets that touch no C library mark every unsafe expression; `grep unsafe` is the audit list.
let strict: [SwiftSetting] = common + [.strictMemorySafety()]

let argumentParser = Target.Dependency.product(name: "ArgumentParser", package: "swift-argument-parser")
let configuration = Target.Dependency.product(name: "Configuration", package: "swift-configuration")
let crypto = Target.Dependency.product(name: "Crypto", package: "swift-crypto")
let grdb = Target.Dependency.product(name: "GRDB", package: "GRDB.swift")
let httpClient = Target.Dependency.product(name: "AsyncHTTPClient", package: "async-http-client")
let httpTypes = Target.Dependency.product(name: "HTTPTypes", package: "swift-http-types")
let hummingbird = Target.Dependency.product(name: "Hummingbird", package: "hummingbird")
let hummingbirdCore = Target.Dependency.product(name: "HummingbirdCore", package: "hummingbird")
let lifecycle = Target.Dependency.product(name: "ServiceLifecycle", package: "swift-service-lifecycle")
let logging = Target.Dependency.product(name: "Logging", package: "swift-log")
let nioCore = Target.Dependency.product(name: "NIOCore", package: "swift-nio")
let nioPosix = Target.Dependency.product(name: "NIOPosix", package: "swift-nio")
let nioSSL = Target.Dependency.product(name: "NIOSSL", package: "swift-nio-ssl")
let nioHTTP1 = Target.Dependency.product(name: "NIOHTTP1", package: "swift-nio")
let unixSignals = Target.Dependency.product(name: "UnixSignals", package: "swift-service-lifecycle")
let yams = Target.Dependency.product(name: "Yams", package: "Yams")

let package = Package(
    name: "tocsin",
    platforms: [.macOS(.v26)],
    products: [.executable(name: "tocsin", targets: ["tocsin"])],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-configuration", from: "1.4.0", traits: []),
        .package(url: "https://github.com/apple/swift-crypto", from: "4.5.2"),
        .package(url: "https://github.com/apple/swift-http-types", from: "1.8.0"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
        .package(url: "https://github.com/apple/swift-nio-ssl", from: "2.34.0"),
        .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
        .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.1", traits: []),
        .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
        .package(url: "https://github.com/swift-server/async-http-client", from: "1.37.0"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
    ],
    targets: [
        // C: declarations and kernels only; one Swift owner class per handle sits in the target above.
        .target(name: "CTocsinKernels"),
        .target(name: "CSimdJSON", linkerSettings: [.linkedLibrary("simdjson")]),
        .target(name: "CWebAssets"),
        // Opened when they are first needed: the program starts on machines without them.
        .target(name: "CPostgres", linkerSettings: [.linkedLibrary("dl", .when(platforms: [.linux]))]),
        .target(name: "CDuckDB", linkerSettings: [.linkedLibrary("dl", .when(platforms: [.linux]))]),
        .target(name: "CLakeSQL"),
        .target(name: "CKafka", linkerSettings: [.linkedLibrary("dl", .when(platforms: [.linux]))]),
        .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),
        .systemLibrary(name: "CZstd", pkgConfig: "libzstd", providers: [.apt(["libzstd-dev"])]),

        // Readings, batches, series table, time, ports, errors.
        .target(name: "TocsinCore", swiftSettings: strict),

        // Bytes in, columns out.
        .target(name: "TocsinDecode", dependencies: ["TocsinCore", "CSimdJSON"], swiftSettings: strict),

        // Pure and synchronous: no I/O, no clock.
        .target(name: "TocsinStream", dependencies: ["TocsinCore", "CTocsinKernels"], swiftSettings: strict),
        .target(name: "TocsinDetect", dependencies: ["TocsinCore", "CTocsinKernels"], swiftSettings: strict),
        .target(name: "TocsinSimulator", dependencies: ["TocsinCore"], swiftSettings: strict),

        // What survives the process: a durable queue and checkpoints, as files.
        .target(name: "TocsinSpool", dependencies: ["TocsinCore", "CTocsinKernels"], swiftSettings: strict),

        // Shards, alarms, back-pressure, recovery: joins stream, detect and spool.
        .target(
            name: "TocsinEngine", dependencies: ["TocsinCore", "TocsinStream", "TocsinDetect", "TocsinSpool"],
            swiftSettings: strict),

        // Pictures of series as SVG.
        .target(name: "TocsinChart", dependencies: ["TocsinCore"], swiftSettings: strict),

        // gzip, zlib and Zstandard, as streams.
        .target(name: "TocsinCompression", dependencies: ["CZlib", "CZstd"], swiftSettings: common),

        // The edges.
        .target(name: "TocsinStore", dependencies: ["TocsinCore", grdb], swiftSettings: common),
        .target(name: "TocsinPostgres", dependencies: ["TocsinCore", "CPostgres"], swiftSettings: common),
        .target(
            name: "TocsinS3", dependencies: ["TocsinCore", crypto, httpClient, nioCore, nioHTTP1, nioSSL],
            swiftSettings: common),
        // Brokers and people: transports only, payloads are decoded elsewhere.
        .target(name: "TocsinKafka", dependencies: ["TocsinCore", "TocsinSpool", "CKafka"], swiftSettings: common),
        .target(name: "TocsinMQTT", dependencies: ["TocsinCore", nioCore, nioPosix, nioSSL], swiftSettings: common),
        .target(
            name: "TocsinAlerts",
            dependencies: ["TocsinCore", crypto, httpClient, logging, nioCore, nioHTTP1, nioPosix, nioSSL],
            swiftSettings: common),
        // Parquet: bronze from the spool, silver and gold by SQL.
        .target(
            name: "TocsinLake", dependencies: ["TocsinCore", "TocsinSpool", "CDuckDB", "CLakeSQL"],
            swiftSettings: common),
        .target(
            name: "TocsinConnectors",
            dependencies: [
                "TocsinCore", "TocsinCompression", "TocsinDecode", "TocsinSimulator", "CZlib", crypto, httpClient, logging, nioCore, nioHTTP1,
            ],
            swiftSettings: common),
        // The judges: labelled recordings, published scores, the detectors under judgement.
        .target(
            name: "TocsinEvaluation", dependencies: ["TocsinCore", "TocsinDetect", "CZlib"], swiftSettings: strict),
        .target(
            name: "TocsinJobs", dependencies: ["TocsinCore", "TocsinDecode", "TocsinDetect"], swiftSettings: strict),
        .target(
            name: "TocsinServer",
            dependencies: [
                "TocsinCore", "TocsinCompression", "TocsinDecode", "TocsinSpool", "TocsinEngine", "CWebAssets", hummingbird, hummingbirdCore, httpTypes, nioCore, lifecycle,
                logging,
            ],
            swiftSettings: common),
        .target(
            name: "TocsinConfiguration", dependencies: ["TocsinCore", configuration, yams],
            swiftSettings: common),

        // Configuration -> objects -> one service group; the only place that knows every type.
        .target(
            name: "TocsinApp",
            dependencies: [
                "CTocsinKernels", "TocsinChart", "TocsinCore", "TocsinDecode", "TocsinStream", "TocsinDetect", "TocsinSimulator", "TocsinEngine",
                "TocsinSpool", "TocsinStore", "TocsinPostgres", "TocsinLake", "TocsinS3", "TocsinAlerts", "TocsinConnectors", "TocsinKafka", "TocsinMQTT", "TocsinEvaluation", "TocsinJobs", "TocsinServer",
                "TocsinConfiguration", httpClient, nioCore, nioHTTP1, lifecycle, unixSignals, logging,
            ],
            swiftSettings: common),
        // Benchmarks: the stages alone, latency, memory; behind `tocsin bench`.
        .target(name: "TocsinMeasure", dependencies: ["TocsinCore"], swiftSettings: common),
        .target(
            name: "TocsinBench",
            dependencies: [
                "TocsinApp", "TocsinConfiguration", "TocsinConnectors", "TocsinCore", "TocsinDecode", "TocsinDetect",
                "TocsinEngine", "TocsinLake", "TocsinMeasure", "TocsinPostgres", "TocsinServer", "TocsinSimulator",
                "TocsinSpool", "TocsinStore", "TocsinStream",
            ],
            swiftSettings: common),
        .executableTarget(
            name: "tocsin",
            dependencies: [
                "TocsinApp", "TocsinBench", "TocsinChart", "TocsinConfiguration", "TocsinCore", "TocsinEvaluation",
                "TocsinJobs", "TocsinMeasure", "TocsinSimulator", argumentParser, logging,
            ],
            swiftSettings: common),

        // Counts allocations of the hot path; never part of the product.
        .target(name: "CAllocationCounter", path: "Benchmarks/CAllocationCounter"),
        .executableTarget(
            name: "allocation-gate",
            dependencies: [
                "CAllocationCounter", "TocsinBench", "TocsinCore", "TocsinDecode", "TocsinDetect", "TocsinEngine",
                "TocsinMeasure", "TocsinSimulator", "TocsinStream",
            ],
            path: "Benchmarks/AllocationGate", swiftSettings: common),

        // Tests mirror the targets; the kit holds what they share.
        .target(name: "TocsinTestKit", dependencies: ["TocsinCore", "TocsinSimulator"], swiftSettings: common),
        .testTarget(name: "TocsinCoreTests", dependencies: ["TocsinCore"], swiftSettings: common),
        .testTarget(
            name: "TocsinCompressionTests", dependencies: ["TocsinCompression", "CZlib", "CZstd"], swiftSettings: common),
        .testTarget(name: "TocsinBenchTests", dependencies: ["TocsinBench", "TocsinCore", "TocsinMeasure"], swiftSettings: common),
        .testTarget(name: "TocsinChartTests", dependencies: ["TocsinChart", "TocsinCore"], swiftSettings: common),
        .testTarget(name: "TocsinDecodeTests", dependencies: ["TocsinCore", "TocsinDecode"], swiftSettings: common),
        .testTarget(name: "TocsinStreamTests", dependencies: ["TocsinCore", "TocsinStream"], swiftSettings: common),
        .testTarget(
            name: "TocsinEvaluationTests", dependencies: ["TocsinCore", "TocsinEvaluation"], swiftSettings: common),
        .testTarget(name: "TocsinJobsTests", dependencies: ["TocsinJobs"], swiftSettings: common),
        .testTarget(name: "TocsinDetectTests", dependencies: ["TocsinCore", "TocsinDetect"], swiftSettings: common),
        .testTarget(
            name: "TocsinSimulatorTests", dependencies: ["TocsinCore", "TocsinSimulator"], swiftSettings: common),
        .testTarget(
            name: "TocsinEngineTests",
            dependencies: [
                "TocsinCore", "TocsinEngine", "TocsinDetect", "TocsinSpool", "TocsinStream", "TocsinTestKit",
            ],
            swiftSettings: common),
        .testTarget(name: "TocsinSpoolTests", dependencies: ["TocsinCore", "TocsinSpool"], swiftSettings: common),
        .testTarget(
            name: "TocsinStoreTests", dependencies: ["TocsinCore", "TocsinStore", "TocsinTestKit", grdb],
            swiftSettings: common),
        .testTarget(
            name: "TocsinPostgresTests", dependencies: ["TocsinCore", "TocsinPostgres", "TocsinTestKit"],
            swiftSettings: common),
        .testTarget(
            name: "TocsinLakeTests", dependencies: ["TocsinCore", "TocsinLake", "TocsinSpool", "TocsinTestKit"],
            swiftSettings: common),
        .testTarget(
            name: "TocsinS3Tests", dependencies: ["TocsinCore", "TocsinS3", crypto, nioCore, nioHTTP1, nioPosix],
            swiftSettings: common),
        .testTarget(
            name: "TocsinConnectorsTests", dependencies: ["TocsinCore", "TocsinConnectors", "TocsinDecode", "TocsinTestKit", logging],
            swiftSettings: common),
        .testTarget(
            name: "TocsinKafkaTests", dependencies: ["TocsinCore", "TocsinKafka", "TocsinSpool"],
            swiftSettings: common),
        .testTarget(
            name: "TocsinMQTTTests", dependencies: ["TocsinCore", "TocsinMQTT", nioCore, nioPosix],
            swiftSettings: common),
        .testTarget(
            name: "TocsinAlertsTests",
            dependencies: [
                "TocsinAlerts", "TocsinCore", "TocsinTestKit", crypto, logging, nioCore, nioHTTP1, nioPosix, nioSSL,
            ],
            swiftSettings: common),
        .testTarget(
            name: "TocsinConfigurationTests", dependencies: ["TocsinCore", "TocsinConfiguration", logging],
            swiftSettings: common),
        .testTarget(
            name: "TocsinLogsTests", dependencies: ["TocsinApp", "TocsinConfiguration", "TocsinCore", logging],
            swiftSettings: common),
        .testTarget(
            name: "TocsinAppTests", dependencies: [
                "TocsinApp", "TocsinChart", "TocsinConfiguration", "TocsinCore", "TocsinEngine", "TocsinEvaluation",
                "TocsinJobs", "TocsinSimulator", "TocsinTestKit", logging,
            ],
            swiftSettings: common),
    ]
)
