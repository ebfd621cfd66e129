//! Listings as sendmail 8.17.1 printed them.
