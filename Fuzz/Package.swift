// swift-tools-version: 6.2
import PackageDescription

// Fuzz targets over the real sources (the folders under Sources are links to them), instrumented for libFuzzer and
// AddressSanitizer. A package of its own, because only a root package may have unsafe flags. `../scripts/fuzz` builds it
// and says where the linker finds libFuzzer.

let instrumented = ["-sanitize=address,fuzzer"]
let common: [SwiftSetting] = [
    .treatAllWarnings(as: .error),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .unsafeFlags(instrumented),
]
let strict: [SwiftSetting] = common + [.strictMemorySafety()]
let native = ["-fsanitize=address,fuzzer-no-link"]

let package = Package(
    name: "fuzz",
    platforms: [.macOS(.v26)],
    targets: [
        .target(name: "CTocsinKernels", cSettings: [.unsafeFlags(native)]),
        .target(
            name: "CSimdJSON", cxxSettings: [.unsafeFlags(native)], linkerSettings: [.linkedLibrary("simdjson")]),
        .target(name: "TocsinCore", swiftSettings: strict),
        .target(name: "TocsinDecode", dependencies: ["TocsinCore", "CSimdJSON"], swiftSettings: strict),
        .target(name: "TocsinStream", dependencies: ["TocsinCore", "CTocsinKernels"], swiftSettings: strict),
        .target(name: "TocsinDetect", dependencies: ["TocsinCore", "CTocsinKernels"], swiftSettings: strict),
        .target(name: "TocsinSpool", dependencies: ["TocsinCore", "CTocsinKernels"], swiftSettings: strict),
        .target(
            name: "TocsinEngine", dependencies: ["TocsinCore", "TocsinStream", "TocsinDetect", "TocsinSpool"],
            swiftSettings: strict),
        .target(name: "CFuzzer"),
        .executableTarget(
            name: "fuzz",
            dependencies: [
                "CFuzzer", "TocsinCore", "TocsinDecode", "TocsinStream", "TocsinDetect", "TocsinSpool", "TocsinEngine",
            ],
            swiftSettings: common,
            linkerSettings: [.unsafeFlags(["-sanitize=address", "-Xlinker", "-l:libclang_rt.fuzzer_no_main-x86_64.a"])]),
    ]
)
