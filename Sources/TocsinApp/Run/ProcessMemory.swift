internal import CTocsinKernels
internal import ServiceLifecycle

/// Keeps what the process holds close to what it uses.
///
/// Batches are large, short-lived, and handed from thread to thread: glibc's allocator makes an arena for each thread,
/// and none gives back what was freed in it by another.
public enum ProcessMemory {
    /// To be called before the first thread is started.
    public static func limitArenas() {
        tk_limit_arenas(2)
    }

    /// Gives freed pages back to the system: about a millisecond for 100 MB.
    static func trim() {
        tk_trim_memory()
    }
}

/// Trims the memory twice a minute.
struct MemoryService: Service, CustomStringConvertible {
    var description: String { "memory" }
    private static let interval = Duration.seconds(30)

    func run() async throws {
        await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                try? await Task.sleep(for: Self.interval)
                ProcessMemory.trim()
            }
        }
    }
}
