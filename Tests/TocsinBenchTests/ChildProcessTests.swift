import Testing
import TocsinMeasure

#if canImport(Glibc)
@preconcurrency import Glibc
#else
import Darwin
#endif

@Suite struct ChildProcessTests {
    @Test func aChildOfAProcessThatBlocksSIGTERMCanBeAskedToEnd() throws {
        var blocked = sigset_t()
        var before = sigset_t()
        sigemptyset(&blocked)
        sigaddset(&blocked, SIGTERM)
        pthread_sigmask(SIG_BLOCK, &blocked, &before)
        defer { pthread_sigmask(SIG_SETMASK, &before, nil) }
        let child = try ChildProcess(program: "/bin/sh", arguments: ["-c", "echo ready; exec sleep 10"])
        #expect(child.readLine() == "ready")
        child.terminate()
        #expect(child.wait().status == 128 + SIGTERM)
    }
}
