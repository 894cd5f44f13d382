#if canImport(Glibc)
internal import Glibc
#elseif canImport(Darwin)
internal import Darwin
#endif
internal import ServiceLifecycle
internal import UnixSignals

/// SIGTERM and SIGINT: the first drains, the second does not want to wait for it.
///
/// The only listener of `run` (`send` and `simulate` have their own): with two in one process each signal reaches just one
/// of them (signalfd).
enum Signals {
    static func obey(_ group: ServiceGroup, first prepare: @Sendable () -> Void) async {
        var count = 0
        for await _ in await UnixSignalsSequence(trapping: .sigterm, .sigint) {
            count += 1
            if count > 1 { _exit(130) }
            prepare()
            await group.triggerGracefulShutdown()
        }
    }
}
