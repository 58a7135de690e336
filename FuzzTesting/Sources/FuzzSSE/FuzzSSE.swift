import FuzzDriver
import FuzzProperties

@_cdecl("FuzzSSE_main")
func start(_ count: CInt, _ arguments: FuzzArguments) -> CInt { fuzz(.sse, count, arguments) }
