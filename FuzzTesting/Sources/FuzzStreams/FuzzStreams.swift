import FuzzDriver
import FuzzProperties

@_cdecl("FuzzStreams_main")
func start(_ count: CInt, _ arguments: FuzzArguments) -> CInt { fuzz(.streams, count, arguments) }
