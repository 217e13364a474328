"""What every service process is made of: log, health, life-cycle, child processes."""
